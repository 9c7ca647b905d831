"""The table that the ORM contenders fill, and two ways to do it."""

from datetime import datetime

from sqlalchemy import BigInteger, String, Text, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Repository(Base):
    __tablename__ = "repositories"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    node_id: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(255))
    full_name: Mapped[str] = mapped_column(String(512))
    owner: Mapped[str] = mapped_column(String(255))
    html_url: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    homepage: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(255))
    license: Mapped[str | None] = mapped_column(String(255))
    topics: Mapped[str] = mapped_column(Text)
    default_branch: Mapped[str] = mapped_column(Text)
    visibility: Mapped[str] = mapped_column(String(64))
    private: Mapped[bool]
    fork: Mapped[bool]
    archived: Mapped[bool]
    disabled: Mapped[bool]
    is_template: Mapped[bool]
    has_issues: Mapped[bool]
    has_projects: Mapped[bool]
    has_wiki: Mapped[bool]
    has_pages: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    pushed_at: Mapped[datetime]
    stargazers_count: Mapped[int]
    watchers_count: Mapped[int]
    forks_count: Mapped[int]
    open_issues_count: Mapped[int]
    size: Mapped[int]


# What both sources call as the table does.
SAME = (
    *("id", "node_id", "name", "full_name", "html_url", "description", "homepage", "language"),
    *("default_branch", "visibility", "private", "fork", "archived", "disabled", "is_template"),
    *("has_issues", "has_projects", "has_wiki", "has_pages"),
    *("stargazers_count", "watchers_count", "forks_count", "open_issues_count", "size"),
)


def store(url, how, found):
    """Insert or update the rows of `found`, dictionaries of the columns, in one transaction.

    "merge" asks for each row, as tutorials do it. "session" reads all rows first, and compares
    them in the session.
    """
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        if how == "merge":
            for values in found:
                session.merge(Repository(**values))
            return
        known = {row.id: row for row in session.scalars(select(Repository))}
        for values in found:
            row = known.get(values["id"])
            if row is None:
                session.add(Repository(**values))
            else:
                for name, value in values.items():
                    if getattr(row, name) != value:
                        setattr(row, name, value)
