"""Implements the ports on AWS and HTTP. Only these modules import the SDK or open a socket."""
