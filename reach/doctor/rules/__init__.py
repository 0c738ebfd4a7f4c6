"""What documents mean by AWS's own rules: traffic, trust, processors. Pure."""
