"""The command line, one module a command; `kedge.app.main` names them."""
