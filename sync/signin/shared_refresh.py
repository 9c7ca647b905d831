"""Renews a saved token once for all processes that use it."""

from __future__ import annotations

from typing import Any

import msgspec

from sync.core.errors import BadCredentials
from sync.core.shutdown import finished_first
from sync.rest import RefreshToken, Token
from sync.signin.saved_token import SavedToken, decode_saved
from sync.signin.token_store import TokenStore


class SharedRefreshToken(RefreshToken):
    """Signs in with the token `saved` in `store`, and renews it there for all its users.

    GitHub accepts a refresh token once, and ends the old access token. So one process at a
    time renews, under the store's lock; the others then read the new token from the store.
    After a logout nothing is renewed. See `RefreshToken` for the other parameters.
    """

    def __init__(self, saved: SavedToken, store: TokenStore, **options: Any) -> None:
        super().__init__(
            client_id=saved.client_id,
            refresh_token=saved.refresh_token,
            access_token=saved.token,
            expires_at=saved.expires_at,
            placement="body",
            **options,
        )
        self._saved = saved
        self._store = store

    def obtain(self) -> Token:
        with self._store.locked():
            text = self._store.read().strip()
            saved = decode_saved(text)
            if saved is None:  # the store now has a token without expiry
                return Token(value=text)
            if saved.token != self._saved.token:
                self._use(saved)
                if saved.expires_at > self._clock():
                    return Token(value=saved.token, expires_at=saved.expires_at)
            self._store.write(text)  # fails before the request if the token could not be saved
            with finished_first():  # once this is sent, the old token is useless
                token = self._renewed()
                self._use(
                    msgspec.structs.replace(
                        self._saved,
                        token=token.value,
                        expires_at=token.expires_at or self._clock(),
                        refresh_token=self._refresh_token,
                    )
                )
                self._store.write(self._saved.encode())
            return token

    def _use(self, saved: SavedToken) -> None:
        self._saved = saved
        self.client_id, self._refresh_token = saved.client_id, saved.refresh_token

    def _renewed(self) -> Token:
        try:
            return super().obtain()
        except BadCredentials as error:
            raise error.recast(
                BadCredentials,
                f"the token has expired, and GitHub does not renew it ({error.message}); "
                f"get a new one with `repoledger login --account {self._store.account}`",
            ) from None
