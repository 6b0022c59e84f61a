"""A recorded run as operations, and the crash states it could have left.

A file's bytes since its last fsync are kept, dropped or torn, each write by itself; a change of a folder since that folder's
last fsync is kept or dropped, whatever became of the others. A rename is one change (journals make it one), and is certain only
when both folders were synced. A kept rename or link brings its file along. SQLite's `-shm` is memory of running processes and
always gone.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512


@dataclass
class Operation:
    call: str
    path: str
    second: str
    offset: int
    data: bytes


def line(root, call, path, second="", offset=0, data=b""):
    """An operation as fault.c writes it; `path` and `second` are relative to `root`."""
    second = f"{root}/{second}" if second and call != "mark" else second
    return f"0\t{call}\t{root}/{path}\t{second}\t{offset}\t{len(data)}\n".encode() + data


def read(file, root):
    """The operations beneath `root`, paths relative to it."""
    operations, raw, at = [], Path(file).read_bytes(), 0
    root = str(root) + "/"
    while at < len(raw):
        end = raw.index(b"\n", at)
        _, call, path, second, offset, size = raw[at:end].decode().split("\t")
        data = raw[end + 1:end + 1 + int(size)]
        at = end + 1 + int(size)
        if path.startswith(root) or path + "/" == root:
            operations.append(Operation(call, path.removeprefix(root).rstrip("/") if path + "/" != root else "",
                                        second.removeprefix(root), int(offset), data))
    return operations


class Node:
    """A file or a folder, with what of it is durable and what is pending."""

    def __init__(self, is_folder, durable=b""):
        self.is_folder = is_folder
        self.durable, self.pending = durable, []  # a file's bytes; writes since its fsync

    def state(self, choose):
        """The bytes after a crash; of each unsynced write `choose` says which part is kept, 0 to 1."""
        if not self.pending:
            return self.durable
        data = bytearray(self.durable)
        for kind, offset, new in self.pending:
            part = choose()
            if part == 0:
                continue
            if kind == "truncate":
                del data[offset:]
                data.extend(bytes(offset - len(data)))
                continue
            if part < 1:
                cut = int(len(new) * part)
                new = new[:cut // SECTOR * SECTOR or cut]
            if len(data) < offset:
                data.extend(bytes(offset - len(data)))
            data[offset:offset + len(new)] = new
        return bytes(data)

    def sync(self):
        self.durable = self.state(lambda: 1)
        self.pending = []


@dataclass
class Change:
    """A pending change of folders: entries that go and entries that come; `open` are the folders not yet synced."""

    gone: tuple
    come: tuple
    node: Node
    open: set = field(default_factory=set)


class Disk:
    """The model: plays operations, then gives crash states."""

    def __init__(self, start):
        """`start` maps paths to bytes, or None for folders; all of it is durable."""
        self.now, self.durable = {}, {}
        for path, data in sorted(start.items()):
            self.now[path] = self.durable[path] = Node(data is None, data or b"")
        self.changes = []

    def play(self, operation):
        call, path = operation.call, operation.path
        parent = os.path.dirname(path)
        if call in ("create", "mkdir"):
            self.now[path] = Node(call == "mkdir")
            self.changes.append(Change((), (path,), self.now[path], {parent}))
        elif call in ("unlink", "rmdir"):
            node = self.now.pop(path, None)
            if node:
                self.changes.append(Change((path,), (), node, {parent}))
        elif call == "rename":
            target = operation.second
            node = self.now[path]
            for old in [p for p in self.now if p == path or p.startswith(path + "/")]:
                self.now[target + old[len(path):]] = self.now.pop(old)
            self.changes.append(Change((path,), (target,), node, {parent, os.path.dirname(target)}))
        elif call == "link":
            node = self.now[operation.second] = self.now[path]
            self.changes.append(Change((), (operation.second,), node, {os.path.dirname(operation.second)}))
        elif call == "write" and path in self.now:
            self.now[path].pending.append(("write", operation.offset, operation.data))
        elif call == "truncate" and path in self.now:
            self.now[path].pending.append(("truncate", operation.offset, b""))
        elif call == "extend" and path in self.now:
            node = self.now[path]
            size = max([len(node.durable)] + [o + len(d) for _, o, d in node.pending])
            if operation.offset > size:
                node.pending.append(("truncate", operation.offset, b""))
        elif call == "sync":
            self.sync(path)
        elif call == "syncall":
            for node in self.now.values():
                node.sync()
            for change in self.changes:
                self.apply(self.durable, change)
            self.changes = []

    def sync(self, path):
        node = self.now.get(path)
        if node and not node.is_folder:
            node.sync()
        for change in self.changes:
            change.open.discard(path)
        # A later change that is certain carries earlier ones of the same names with it.
        for at, change in enumerate(self.changes):
            if not change.open:
                names = set(change.gone + change.come)
                for earlier in self.changes[:at]:
                    if names & set(earlier.gone + earlier.come):
                        earlier.open.clear()
        while self.changes and not self.changes[0].open:
            self.apply(self.durable, self.changes.pop(0))

    @staticmethod
    def apply(tree, change):
        # Nothing is put into a folder that is not there: no journal keeps the one without the other.
        if any(os.path.dirname(path) and os.path.dirname(path) not in tree for path in change.come):
            return
        for path in change.gone:
            moved = {p: n for p, n in tree.items() if p == path or p.startswith(path + "/")}
            for p in moved:
                del tree[p]
            if change.come:
                for p, n in moved.items():
                    tree[change.come[0] + p[len(path):]] = n
        for path in change.come:
            tree[path] = change.node

    def plain(self):
        """The crash states in which all unsynced names, or all unsynced bytes, share one fate."""
        for names in (False, True):
            for part in (0, 1):
                yield self.state(lambda: names, lambda: part)  # noqa: B023

    def mixture(self, generator):
        """A crash state of many: one name or each by chance, each write kept, dropped or torn somewhere."""
        style, chance = generator.randrange(4), generator.random()
        unsynced = [change for change in self.changes if change.open]
        one = generator.choice(unsynced) if unsynced else None
        left = iter(unsynced)
        keeps = {0: lambda: next(left) is one, 1: lambda: next(left) is not one}.get(style, lambda: generator.random() < chance)
        pending = sum(len(node.pending) for node in {id(n): n for n in self.now.values()}.values())
        cut = generator.randrange(pending) if pending and style == 3 else None
        if cut is None:
            return self.state(keeps, lambda: generator.choice((0, 1, generator.random())))
        count = iter(range(1 << 30))
        return self.state(keeps, lambda: 1 if next(count) != cut else generator.random())

    def state(self, keeps, choose):
        """One crash state: path → bytes, None for folders."""
        tree = dict(self.durable)
        for change in self.changes:
            if not change.open or keeps():
                self.apply(tree, change)
        state, bytes_of = {}, {}
        for path, node in sorted(tree.items()):
            parent = os.path.dirname(path)
            if path.endswith("-shm") or (parent and state.get(parent, b"") is not None):
                continue
            # A file may have two names.
            if not node.is_folder and id(node) not in bytes_of:
                bytes_of[id(node)] = node.state(choose)
            state[path] = None if node.is_folder else bytes_of[id(node)]
        return state


def key(state):
    """What tells a state from another, in this process and those that it forks."""
    return hash(tuple(state.items()))


def lay(state, folder):
    """Writes a state into an empty folder."""
    for path, data in state.items():
        target = folder / path
        if data is None:
            target.mkdir(exist_ok=True)
        else:
            target.write_bytes(data)


def snapshot(folder):
    """What is in a folder, as a state."""
    folder = Path(folder)
    return {str(p.relative_to(folder)): None if p.is_dir() else p.read_bytes() for p in sorted(folder.rglob("*"))}
