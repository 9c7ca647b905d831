"""The names of sync/signin/ that tests use."""

from sync.signin import token_keyring as token_keyring
from sync.signin.clients import client_for as client_for
from sync.signin.saved_token import SavedToken as SavedToken
from sync.signin.saved_token import decode_saved as decode_saved
from sync.signin.token_commands import output_of as output_of
from sync.signin.token_file import TokenFile as TokenFile
from sync.signin.token_keyring import TokenKeyring as TokenKeyring
from sync.signin.tokens import read_private_key as read_private_key
from sync.signin.tokens import read_token as read_token
