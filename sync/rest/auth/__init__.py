"""Ways of signing in to a service; see `sync.rest.oauth2` for OAuth 2."""
