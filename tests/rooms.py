"""Checks which way the rooms of crates/core depend on each other, and that no files import each other in a circle.

Reads the `use` items and the `crate::` paths of every file, without its tests. A room may use those that stand before it
in ROOMS; two rooms of one line use neither each other. A file and the file of its parent module may use each other.
"""

import pathlib
import re
import sys

USE = re.compile(r"^\s*(?:pub(?:\([a-z]+\))? )?use\s+([^;]+);", re.MULTILINE)
SOURCE = pathlib.Path(__file__).parent.parent / "crates/core/src"
ROOMS = [
    ["model"],
    ["settings"],
    ["trigger", "step"],
    ["ledger", "iam"],
    ["decide", "lanes", "followups"],
    ["release", "report"],
]
RANK = {room: rank for rank, rooms in enumerate(ROOMS) for room in rooms}
NO_CODE = {"lib", "testing"}


def sources():
    """{("report", "fact", "text"): code without comments and tests}"""
    code = {}
    for path in SOURCE.rglob("*.rs"):
        module = path.relative_to(SOURCE).with_suffix("").parts
        if "tests" in module or module[-1] == "goldens" or module[0] in NO_CODE:
            continue
        text = re.sub(r"//[^\n]*", "", path.read_text())
        code[module] = text.split("#[cfg(test)]\nmod tests {")[0]
    return code


def leaves(tree, before=()):
    """The paths of a use tree: `a::{b, c::d}` -> (a, b), (a, c, d)"""
    head, brace, rest = tree.partition("{")
    segments = tuple(part.strip() for part in head.split("::") if part.strip())
    if not brace:
        return [before + (segments[:-1] + (segments[-1].split(" as ")[0],) if segments else ())]
    paths, depth, part = [], 0, ""
    for char in rest[: rest.rindex("}")] + ",":
        depth += (char == "{") - (char == "}")
        if char == "," and depth == 0:
            if part.strip():
                paths += leaves(part, before + segments)
            part = ""
        else:
            part += char
    return paths


def imports(module, code):
    """The modules' paths that a file names, from the crate's root."""
    for tree in USE.findall(code):
        for path in leaves(tree):
            if path[0] == "crate":
                yield path[1:]
            elif path[0] in ("self", "super"):
                up = sum(part == "super" for part in path)
                yield module[: len(module) - up] + tuple(part for part in path if part not in ("self", "super"))
    for path in re.findall(r"\bcrate((?:::\w+)+)", USE.sub("", code)):
        yield tuple(path.strip(":").split("::"))


def graph(code):
    """{file: {files that it uses}}"""
    uses = {}
    for module, text in code.items():
        uses[module] = set()
        for path in imports(module, text):
            while path and path not in code:
                path = path[:-1]
            if path and path != module:
                uses[module].add(path)
    return uses


def circles(uses):
    """Groups of files that reach each other, when a child's use of its parents is left out."""
    below = {module: {to for to in tos if module[: len(to)] != to} for module, tos in uses.items()}

    def reach(start):
        seen, todo = set(), list(below[start])
        while todo:
            module = todo.pop()
            if module not in seen:
                seen.add(module)
                todo += below[module]
        return seen

    reached = {module: reach(module) for module in below}
    found = {frozenset(to for to in reached[m] if m in reached[to]) for m in below if m in reached[m]}
    return sorted(sorted(group) for group in found)


def main():
    uses = graph(sources())
    wrong = []
    for module, tos in sorted(uses.items()):
        for to in sorted(tos):
            here, there = module[0], to[0]
            if here not in RANK or there not in RANK:
                wrong.append(f"{'::'.join(module)} or {'::'.join(to)} stands in no room of tests/rooms.py")
            elif here != there and RANK[there] >= RANK[here]:
                wrong.append(f"{'::'.join(module)} uses {'::'.join(to)}, but {there} does not stand before {here}")
    for group in circles(uses):
        wrong.append("in a circle: " + ", ".join("::".join(module) for module in group))
    print("\n".join(wrong) or f"{len(uses)} files of core: one direction, no circle")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
