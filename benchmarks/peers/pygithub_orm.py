"""PyGithub and the ORM. Pages of 100, no pauses between requests (`seconds_between_requests`).

python pygithub_orm.py API DATABASE_URL merge|session
"""

import json
import sys

from github import Auth, Github
from orm import SAME, store

api, url, how = sys.argv[1:]
github = Github(
    auth=Auth.Token("ghp_benchbenchbenchbench"),
    base_url=api,
    per_page=100,
    seconds_between_requests=None,
    seconds_between_writes=None,
)


def values(item):
    return {name: getattr(item, name) for name in SAME} | {
        "owner": item.owner.login,
        "license": item.license and item.license.spdx_id,
        "topics": json.dumps(item.topics),
        "created_at": item.created_at.replace(tzinfo=None),
        "updated_at": item.updated_at.replace(tzinfo=None),
        "pushed_at": item.pushed_at.replace(tzinfo=None),
    }


store(url, how, (values(item) for item in github.get_user().get_repos()))
