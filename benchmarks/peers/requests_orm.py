"""requests and the ORM, as tutorials write it: a session, the Link header, a row for each.

python requests_orm.py API DATABASE_URL merge|session
"""

import json
import sys
from datetime import datetime

import requests
from orm import SAME, store

api, url, how = sys.argv[1:]
session = requests.Session()
session.headers["Authorization"] = "Bearer ghp_benchbenchbenchbench"


def pages():
    address = f"{api}/user/repos?per_page=100"
    while address:
        answer = session.get(address, timeout=60)
        answer.raise_for_status()
        yield answer.json()
        address = answer.links.get("next", {}).get("url")


def when(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")


def values(item):
    return {name: item[name] for name in SAME} | {
        "owner": item["owner"]["login"],
        "license": item["license"] and item["license"]["spdx_id"],
        "topics": json.dumps(item["topics"]),
        "created_at": when(item["created_at"]),
        "updated_at": when(item["updated_at"]),
        "pushed_at": when(item["pushed_at"]),
    }


store(url, how, (values(item) for page in pages() for item in page))
