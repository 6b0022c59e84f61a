"""A recorded run as operations, and the crash states it could have left.

A file's bytes since its last fsync are kept, dropped or torn, each write by itself; a change of a folder since that folder's
last fsync is kept or dropped, whatever became of the others. A rename is one change (journals make it one), and is certain only
when both folders were synced. A kept rename or link brings its file along, and a folder with the names that are durable in it. SQLite's
`-shm` is memory of running processes and always gone.
"""

from dataclasses import dataclass
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
        self.entries, self.now = {}, {}  # a folder's names that are durable; its names as the processes see them

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
    """A pending change of folders: the entries, (folder, name), that go and come; `open` are the folders not yet synced."""

    gone: tuple
    come: tuple
    node: Node
    open: list

    def names(self):
        return {(id(folder), name) for folder, name in self.gone + self.come}

    def apply(self, entries):
        """Makes the change; `entries` gives the names in a folder."""
        for folder, name in self.gone:
            entries(folder).pop(name, None)
        for folder, name in self.come:
            entries(folder)[name] = self.node


class Disk:
    """The model: plays operations, then gives crash states."""

    def __init__(self, start):
        """`start` maps paths to bytes, or None for folders; all of it is durable."""
        self.root, self.changes = Node(True), []
        for path, data in sorted(start.items()):
            folder, name = self.place(path)
            folder.entries[name] = folder.now[name] = Node(data is None, data or b"")

    def find(self, path):
        node = self.root
        for name in path.split("/") if path else []:
            node = node.now.get(name) if node else None
        return node

    def place(self, path):
        """The folder in which a path is an entry, and its name there."""
        parent, _, name = path.rpartition("/")
        return self.find(parent), name

    def play(self, operation):
        call, path = operation.call, operation.path
        node = self.find(path)
        if call in ("create", "mkdir"):
            self.change((), (self.place(path),), Node(call == "mkdir"))
        elif call in ("unlink", "rmdir"):
            self.change((self.place(path),), (), node)
        elif call == "rename":
            self.change((self.place(path),), (self.place(operation.second),), node)
        elif call == "link":
            self.change((), (self.place(operation.second),), node)
        elif call == "write" and node:
            node.pending.append(("write", operation.offset, operation.data))
        elif call == "truncate" and node:
            node.pending.append(("truncate", operation.offset, b""))
        elif call == "extend" and node:
            size = max([len(node.durable)] + [o + len(d) for _, o, d in node.pending])
            if operation.offset > size:
                node.pending.append(("truncate", operation.offset, b""))
        elif call == "sync" and node:
            self.sync(node)
        elif call == "syncall":
            for every in self.nodes():
                every.sync()
            for change in self.changes:
                change.apply(lambda folder: folder.entries)
            self.changes = []

    def change(self, gone, come, node):
        change = Change(gone, come, node, [folder for folder, _ in gone + come])
        change.apply(lambda folder: folder.now)
        self.changes.append(change)

    def nodes(self):
        """Every file and folder that has a name now, each once."""
        found, left = {}, [self.root]
        while left:
            node = left.pop()
            if id(node) not in found:
                found[id(node)] = node
                left += node.now.values()
        return list(found.values())

    def sync(self, node):
        node.sync()
        for change in self.changes:
            change.open = [folder for folder in change.open if folder is not node]
        # A later change that is certain carries earlier ones of the same names with it.
        for at, change in enumerate(self.changes):
            if not change.open:
                for earlier in self.changes[:at]:
                    if change.names() & earlier.names():
                        earlier.open = []
        while self.changes and not self.changes[0].open:
            self.changes.pop(0).apply(lambda folder: folder.entries)

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
        pending = sum(len(node.pending) for node in self.nodes())
        cut = generator.randrange(pending) if pending and style == 3 else None
        if cut is None:
            return self.state(keeps, lambda: generator.choice((0, 1, generator.random())))
        count = iter(range(1 << 30))
        return self.state(keeps, lambda: 1 if next(count) != cut else generator.random())

    def state(self, keeps, choose):
        """One crash state: path → bytes, None for folders."""
        changed, bytes_of, state = {}, {}, {}

        def entries(folder):
            return changed.setdefault(id(folder), dict(folder.entries))

        def walk(folder, prefix):
            for name, node in sorted(changed.get(id(folder), folder.entries).items()):
                if name.endswith("-shm"):
                    continue
                # A file may have two names.
                if not node.is_folder and id(node) not in bytes_of:
                    bytes_of[id(node)] = node.state(choose)
                state[prefix + name] = None if node.is_folder else bytes_of[id(node)]
                walk(node, prefix + name + "/")

        for change in self.changes:
            if not change.open or keeps():
                change.apply(entries)
        walk(self.root, "")
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
