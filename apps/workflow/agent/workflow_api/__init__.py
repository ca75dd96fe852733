"""The generated code of the service's contract; the `.proto` lies beside it in the agent's folder, and says how."""
