"""What may happen to the repositories of a walk's GitHub: one function for each kind of change."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.walk_world import FIELDS, OWNERS, NothingFitsError, World, told

FEWEST, MOST = 240, 420  # repositories, where changes in numbers turn back
USERS = ("octo", "mona")
SCOPES = (("repo",), ("repo",), ("repo", "user"), ())

Change = Callable[[World], str]


def change(world: World) -> str:
    """Do one thing, drawn by weight; return what it was."""
    if _dark(world) and world.rng.random() < 0.2:
        return hide_all_or_none(world)
    weights, changes = zip(*CHANGES, strict=True)
    drawn: Change = world.rng.choices(changes, weights)[0]
    try:
        return drawn(world)
    except NothingFitsError:
        return f"(nothing to {drawn.__name__})"


# Coming and going


def add(world: World) -> str:
    (owner,) = world.rng.choices(tuple(OWNERS), tuple(OWNERS.values()))
    return world.add(owner, world.new_name(owner))


def delete(world: World) -> str:
    return world.delete(world.pick())


def delete_an_old_one(world: World) -> str:
    """Delete what stands early in every listing, so that what stands behind it moves on."""
    early = world.ids[: len(world.ids) // 3]
    return world.delete(world.pick(lambda found: found.fields["id"] in early))


def recreate(world: World) -> str:
    found = world.pick()
    owner, name = found.place.split("/")
    return f"{world.delete(found)} and {world.add(owner, name)}"


def add_or_delete_many(world: World) -> str:
    few, many = len(world.ids) < FEWEST, len(world.ids) > MOST
    grows = few or (not many and world.rng.random() < 0.5)
    count = world.rng.randint(5, 40)
    done = [add(world) if grows else delete(world) for _ in range(count)]
    return f"{count} at once: {done[0]} ..."


# Names and owners


def rename(world: World) -> str:
    found = world.pick()
    was, owner = told(found), found.place.split("/")[0]
    world.sandbox.rename(found.fields["id"], world.new_name(owner))
    return f"rename {was} to {found.place}"


def rename_in_case(world: World) -> str:
    found = world.pick()
    was = told(found)
    world.sandbox.rename(found.fields["id"], found.place.split("/")[1].swapcase())
    return f"rename {was} to {found.place}"


def swap_names(world: World) -> str:
    one = world.pick()
    other = world.pick(lambda found: found is not one and found.owner is one.owner)
    names = [found.place.split("/")[1] for found in (one, other)]
    world.sandbox.rename(one.fields["id"], "in-between")
    world.sandbox.rename(other.fields["id"], names[0])
    world.sandbox.rename(one.fields["id"], names[1])
    return f"swap names: now {told(one)} and {told(other)}"


def transfer(world: World) -> str:
    owner = world.rng.choice(tuple(OWNERS))
    found = world.pick(lambda found: found.owner.login != owner)
    was, stay = told(found), found.owner.kind == "User" and world.rng.random() < 0.5
    if world.taken(f"{owner}/{found.place.split('/')[1]}"):
        raise NothingFitsError
    world.sandbox.transfer(found.fields["id"], owner, stay=stay)
    return f"transfer {was} to {owner}{', and stay' * stay}"


# Who sees it


def make_private(world: World) -> str:
    found = world.pick(lambda found: not found.flag("private"))
    world.sandbox.make_private(found.fields["id"])
    return f"make private {told(found)}"


def make_public(world: World) -> str:
    found = world.pick(lambda found: found.flag("private"))
    world.sandbox.make_public(found.fields["id"])
    return f"make public {told(found)}"


def block(world: World) -> str:
    found = world.pick(lambda found: found.block is None)
    reason, listed = world.rng.choice(("dmca", "tos")), world.rng.random() < 0.3
    world.sandbox.block(found.fields["id"], reason=reason, listed=listed)
    return f"block {told(found)} for {reason}{', still listed' * listed}"


def unblock(world: World) -> str:
    found = world.pick(lambda found: found.block is not None)
    world.sandbox.unblock(found.fields["id"])
    return f"unblock {told(found)}"


def hide(world: World) -> str:
    found = world.pick(lambda found: not found.hidden)
    world.sandbox.hide(found.fields["id"])
    return f"hide {told(found)}"


def unhide(world: World) -> str:
    found = world.pick(lambda found: found.hidden)
    world.sandbox.unhide(found.fields["id"])
    return f"unhide {told(found)}"


def hide_all_or_none(world: World) -> str:
    """Have the listing of a user be empty, or what was concealed be seen again."""
    if _dark(world):
        for rid in world.ids:
            world.sandbox.unhide(rid)
        world.touched.update(world.ids)
        return "unhide all"
    account = world.rng.choice(world.accounts)
    for rid in world.listed(account):
        world.sandbox.hide(rid)
        world.touched.add(rid)
    return f"hide all that {account.login} lists"


def _dark(world: World) -> bool:
    """Tell whether so much is concealed that a listing is likely to be empty."""
    return sum(world.sandbox.repository(rid).hidden for rid in world.ids) > len(world.ids) / 4


def add_collaborator(world: World) -> str:
    login = world.rng.choice(USERS)
    user = world.sandbox.user(login)
    found = world.pick(lambda found: found.owner is not user and user.id not in found.collaborators)
    permission = world.rng.choice(("pull", "push", "admin"))
    world.sandbox.add_collaborator(login, found.fields["id"], permission=permission)
    return f"share {told(found)} with {login} ({permission})"


def remove_collaborator(world: World) -> str:
    found = world.pick(lambda found: bool(found.collaborators))
    user = world.sandbox.user(world.rng.choice(sorted(found.collaborators)))
    world.sandbox.remove_collaborator(user.login, found.fields["id"])
    return f"no longer share {told(found)} with {user.login}"


def join_or_leave_the_organization(world: World) -> str:
    guild, login = world.sandbox.user("guild"), world.rng.choice(USERS)
    world.touched.update(world.ids)
    if world.sandbox.user(login).id in guild.members:
        world.sandbox.remove_member("guild", login)
        return f"{login} leaves guild"
    role = world.rng.choice(("member", "admin"))
    world.sandbox.add_member("guild", login, role="admin" if role == "admin" else "member")
    return f"{login} joins guild as {role}"


def change_scopes(world: World) -> str:
    account, scopes = world.rng.choice(world.accounts), world.rng.choice(SCOPES)
    world.touched.update(world.ids)
    world.sandbox.set_scopes(account.token, scopes)
    return f"{account.login}'s token has the scopes {scopes}"


# What is told of it


def edit(world: World) -> str:
    found = world.pick()
    names = world.rng.sample(sorted(FIELDS), world.rng.randint(1, 3))
    world.sandbox.edit(
        found.fields["id"], **{name: world.rng.choice(FIELDS[name]) for name in names}
    )
    return f"edit {told(found)}: {', '.join(names)}"


def archive(world: World) -> str:
    found = world.pick()
    archived = not found.flag("archived")
    world.sandbox.archive(found.fields["id"], archived=archived)
    return f"{'archive' if archived else 'unarchive'} {told(found)}"


def star(world: World) -> str:
    found = world.pick()
    world.sandbox.star(found.fields["id"], by=world.rng.randint(1, 9))
    return f"star {told(found)}"


def push(world: World) -> str:
    found = world.pick()
    world.sandbox.push(found.fields["id"])
    return f"push {told(found)}"


CHANGES: tuple[tuple[float, Change], ...] = (
    (10, add),
    (9, delete),
    (4, recreate),
    (1, add_or_delete_many),
    (6, rename),
    (2, rename_in_case),
    (3, swap_names),
    (6, transfer),
    (7, make_private),
    (6, make_public),
    (4, block),
    (4, unblock),
    (5, hide),
    (5, unhide),
    (1, hide_all_or_none),
    (5, add_collaborator),
    (5, remove_collaborator),
    (1, join_or_leave_the_organization),
    (0.7, change_scopes),
    (6, edit),
    (3, archive),
    (4, star),
    (3, push),
)
