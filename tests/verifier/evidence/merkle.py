"""The Merkle trees of RFC 6962: roots, and the checks of RFC 9162 (2.1.3.2, 2.1.4.2) for both kinds of proof."""

from hashlib import sha256


def leaf_hash(leaf):
    return sha256(b"\x00" + leaf).digest()


def node_hash(left, right):
    return sha256(b"\x01" + left + right).digest()


def root(hashes):
    """The root over leaf hashes, by the recursive definition of RFC 6962, 2.1."""
    if not hashes:
        return sha256(b"").digest()
    level = list(hashes)
    # Whatever has no partner on a level moves up unchanged: the definition's split at the largest power of two, bottom up.
    while len(level) > 1:
        paired = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = paired + level[len(level) - len(level) % 2 :]
    return level[0]


def _is_hashes(path):
    return all(len(node) == 32 for node in path)


def verify_inclusion(hashed, index, size, path, expected):
    """Whether the leaf stands at the index of the tree with this size and root."""
    if not (0 <= index < size and _is_hashes([hashed, expected, *path])):
        return False
    place, last, reached = index, size - 1, hashed
    for node in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            reached = node_hash(node, reached)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            reached = node_hash(reached, node)
        place, last = place >> 1, last >> 1
    return last == 0 and reached == expected


def consistency_roots(older, newer, path, older_root):
    """The two roots that a consistency proof between two trees, none of them empty, computes; None when it has another shape."""
    if not (0 < older < newer and path and _is_hashes([older_root, *path])):
        return None
    nodes = list(path)
    if older & (older - 1) == 0:
        nodes.insert(0, older_root)
    place, last = older - 1, newer - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    small = big = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            small, big = node_hash(node, small), node_hash(node, big)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            big = node_hash(big, node)
        place, last = place >> 1, last >> 1
    return (small, big) if last == 0 else None


def verify_consistency(older, newer, path, older_root, newer_root):
    """Whether the newer tree begins with every leaf of the older one."""
    if older == newer:
        return not path and older_root == newer_root
    if older == 0:
        return not path and older < newer
    return consistency_roots(older, newer, path, older_root) == (older_root, newer_root)
