"""The record as its DynamoDB item."""
