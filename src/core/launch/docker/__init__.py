"""Docker's words in a start request: the body of `POST /containers/create`, translated into the members of ours."""
