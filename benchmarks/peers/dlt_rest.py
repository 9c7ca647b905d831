"""dlt with its REST source, into a table of the current repositories.

    python dlt_rest.py API DESTINATION URL FOLDER

Settings: pages by the Link header, 100 a page; nested values kept as JSON instead of tables
of their own (`max_table_nesting=0`), and the table replaced with each run: both are faster
than the defaults and than `merge`, which also leads to the same rows here.
"""

import sys

import dlt
from dlt.sources.rest_api import rest_api_source

api, kind, url, folder = sys.argv[1:]
destination = {
    "duckdb": dlt.destinations.duckdb,
    "postgres": dlt.destinations.postgres,
    "sqlalchemy": dlt.destinations.sqlalchemy,
}[kind](credentials=url)
source = rest_api_source(
    {
        "client": {"base_url": api, "paginator": "header_link"},
        "resources": [
            {
                "name": "repositories",
                "primary_key": "id",
                "write_disposition": "replace",
                "max_table_nesting": 0,
                "endpoint": {"path": "user/repos", "params": {"per_page": 100}},
            }
        ],
    }
)
pipeline = dlt.pipeline(
    "bench", destination=destination, dataset_name="bench", pipelines_dir=folder
)
pipeline.run(source)
