"""Services whose items are fields that callers give, kept in a DynamoDB table of the service's own."""
