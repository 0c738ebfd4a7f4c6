"""Implements the ports on AWS and HTTP. Only these modules import boto3 or open a socket."""
