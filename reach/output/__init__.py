"""What containers print: a stream of CloudWatch Logs for each, read and followed."""
