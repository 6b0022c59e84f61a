"""A recorded run as operations, and the crash states it could have left.

A file's bytes since its last fsync are kept, dropped or torn; a change of a folder since that folder's last fsync is kept or
dropped, whatever became of the others. A rename is one change (journals make it one), and is certain only when both folders
were synced. A kept rename or link brings its file along. SQLite's `-shm` is memory of running processes and always gone.
"""

import os
import random
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

    def __init__(self, is_folder):
        self.is_folder = is_folder
        self.durable, self.pending = bytearray(), []  # a file's bytes; writes since its fsync

    def state(self, choose):
        """The bytes after a crash, each unsynced write kept, dropped or torn as `choose` says."""
        data = bytearray(self.durable)
        for kind, offset, new in self.pending:
            fate = choose()
            if fate == "drop":
                continue
            if kind == "truncate":
                del data[offset:]
                data.extend(bytes(offset - len(data)))
                continue
            if fate == "tear" and len(new) > 1:
                cut = max(1, (len(new) // 2) // SECTOR * SECTOR or len(new) // 2)
                new = new[:cut]
            if len(data) < offset:
                data.extend(bytes(offset - len(data)))
            data[offset:offset + len(new)] = new
        return bytes(data)

    def sync(self):
        self.durable = bytearray(self.state(lambda: "keep"))
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
            node = Node(data is None)
            node.durable = bytearray(data or b"")
            self.now[path] = self.durable[path] = node
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
            for every in list(self.now):
                self.sync(every)
            self.sync("")

    def sync(self, path):
        node = self.now.get(path)
        if node and not node.is_folder:
            node.sync()
        for change in self.changes:
            change.open.discard(path)
        while self.changes and not self.changes[0].open:
            self.apply(self.durable, self.changes.pop(0))
        # A later change that is certain carries earlier ones of the same names with it.
        for change in [c for c in self.changes if not c.open]:
            names = set(change.gone + change.come)
            for earlier in [c for c in self.changes if set(c.gone + c.come) & names]:
                if self.changes.index(earlier) <= self.changes.index(change):
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

    def states(self, generator, count):
        """Up to `count` different crash states: path → bytes, None for folders."""
        seen = set()
        for k in range(count * 2):
            if k == 0:
                changes, choose = lambda: False, lambda: "drop"
            elif k == 1:
                changes, choose = lambda: True, lambda: "keep"
            else:
                changes = lambda: generator.random() < 0.5  # noqa: E731
                choose = lambda: generator.choice(("keep", "drop", "tear"))  # noqa: E731
            tree = dict(self.durable)
            for change in self.changes:
                if not change.open or changes():
                    self.apply(tree, change)
            state = {}
            for path, node in sorted(tree.items()):
                parent = os.path.dirname(path)
                if path.endswith("-shm") or (parent and state.get(parent, b"") is not None):
                    continue
                state[path] = None if node.is_folder else node.state(choose)
            key = hash(tuple((p, d) for p, d in state.items()))
            if key not in seen:
                seen.add(key)
                yield key, state
            if len(seen) >= count:
                return


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


def generator(seed):
    return random.Random(seed)
