"""Signs in as a configured account: from the token's place in the configuration to a request.

1. `tokens` reads the text from the account's variable, from its command (`token_commands`), or from
   its `token_store`, the file or keyring where `login` has saved it; or it reads an App's key.
2. `saved_token` decodes the text: a token alone, or a token with expiry and refresh token.
3. `clients` makes a client, which sends the token in each request.
4. A client renews a token before it expires, and once if GitHub refuses it (`rest.RenewingAuth`).
5. `shared_refresh` renews under the store's lock: one process asks GitHub (`rest.RefreshToken`)
   and saves the new token; the other processes read it from the store.
"""
