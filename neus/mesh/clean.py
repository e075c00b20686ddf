"""Connected components of a mesh: which to keep, which to drop.

The default cleaning of an extracted surface is :func:`keep_largest`. It drops floaters and also
cavities, whose walls are components of their own. Where points of the surface are known,
:func:`keep_supported` keeps what stands apart, too. For scenes of several objects without such
points keep all that :func:`drop_enclosed` and :func:`drop_small` leave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from neus.mesh.triangles import Mesh

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int


def keep_largest(mesh: Mesh) -> Mesh:
    """The connected component of the largest area."""
    component = face_components(mesh)
    area = np.bincount(component, face_areas(mesh))
    return select_faces(mesh, component == area.argmax()) if len(area) else mesh


def keep_supported(
    mesh: Mesh, points: Float[np.ndarray, "p 3"], reach: float, least: float = 0.2
) -> Mesh:
    """The largest component, and each that known points of the surface vouch for.

    Floaters and cavities lie where nobody saw a surface. What only seems to stand apart, since the
    way that joins it to the rest is hidden, as a lid's knob or the foot of a stand, was seen.

    Args:
        points: on the surface, in the frame of the mesh.
        reach: how near a point is to vouch for a vertex.
        least: share of a component's vertices that points have to vouch for.
    """
    if not len(mesh.faces):
        return mesh
    distances, _ = KDTree(points).query(mesh.vertices, distance_upper_bound=reach)
    near = np.isfinite(distances)[mesh.faces[:, 0]]
    component = face_components(mesh)
    area = np.bincount(component, face_areas(mesh))
    kept = np.bincount(component, near) >= least * np.bincount(component)
    kept[area.argmax()] = True
    return select_faces(mesh, kept[component])


def drop_small(mesh: Mesh, min_area_fraction: float) -> Mesh:
    """Drop components whose area is less than a fraction of the largest component's."""
    component = face_components(mesh)
    area = np.bincount(component, face_areas(mesh))
    return select_faces(mesh, (area >= min_area_fraction * area.max(initial=0))[component])


def drop_enclosed(mesh: Mesh) -> Mesh:
    """Drop what no camera outside can see: walls of cavities, and solids within another solid.

    Every component must be closed and face outwards from the solid, as an extracted isosurface
    does: the wall of a cavity then has a negative volume, and a point is within a solid where the
    winding number of that solid's surface is 1.
    """
    if not len(mesh.faces):
        return mesh
    component = face_components(mesh)
    volume = component_volumes(mesh, component)
    lower, upper = _component_bounds(mesh, component, len(volume))
    first_face = np.unique(component, return_index=True)[1]
    keep = volume > 0
    solids = np.flatnonzero(keep)[np.argsort(-volume[keep], kind="stable")]
    for rank, inner in enumerate(solids):
        larger = solids[:rank][keep[solids[:rank]]]
        boxed = (lower[larger] < lower[inner]) & (upper[inner] < upper[larger])
        point = mesh.vertices[mesh.faces[first_face[inner], 0]]
        keep[inner] = not any(
            winding_number(point, mesh.vertices, mesh.faces[component == outer]) > 0.5
            for outer in larger[boxed.all(axis=1)]
        )
    return select_faces(mesh, keep[component])


def select_faces(mesh: Mesh, keep: Bool[np.ndarray, "f"]) -> Mesh:
    """The mesh of the faces where ``keep`` is true, without the vertices that none of them uses."""
    faces = mesh.faces[keep]
    used = np.zeros(len(mesh.vertices), bool)
    used[faces] = True
    renumbered = np.cumsum(used) - 1
    return Mesh(
        mesh.vertices[used],
        renumbered[faces].astype(mesh.faces.dtype),
        None if mesh.normals is None else mesh.normals[used],
        None if mesh.colours is None else mesh.colours[used],
    )


def face_components(mesh: Mesh) -> Int[np.ndarray, "f"]:
    """Number of each face's component, from 0; faces that share a vertex are connected."""
    if not len(mesh.faces):
        return np.zeros(0, np.int32)
    count = len(mesh.vertices)
    start, end = mesh.faces[:, [0, 1]].ravel(), mesh.faces[:, [1, 2]].ravel()
    adjacency = coo_array((np.ones(len(start), bool), (start, end)), shape=(count, count))
    labels = connected_components(adjacency, directed=False)[1][mesh.faces[:, 0]]
    return np.unique(labels, return_inverse=True)[1]


def face_areas(mesh: Mesh) -> Float[np.ndarray, "f"]:
    """Area of each face, in squared units of the mesh."""
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    return 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)


def component_volumes(mesh: Mesh, component: Int[np.ndarray, "f"]) -> Float[np.ndarray, "k"]:
    """Signed volume of each closed component (divergence theorem), negative for a cavity."""
    centred = mesh.vertices - mesh.vertices.mean(axis=0)
    a, b, c = (centred[mesh.faces[:, corner]] for corner in range(3))
    return np.bincount(component, (a * np.cross(b, c)).sum(axis=1) / 6)


def winding_number(
    point: Float[np.ndarray, "3"],
    vertices: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
) -> float:
    """How often a closed surface winds about a point that is not on it: 1 inside, 0 outside.

    The sum of the faces' solid angles over the full sphere (Van Oosterom and Strackee, IEEE TBME
    1983, eq. 8).
    """
    total, chunk = 0.0, 2**18
    for start in range(0, len(faces), chunk):
        a, b, c = (vertices[faces[start : start + chunk, corner]] - point for corner in range(3))
        a_norm, b_norm, c_norm = (np.linalg.norm(x, axis=1) for x in (a, b, c))
        ab, bc, ca = ((x * y).sum(axis=1) for x, y in ((a, b), (b, c), (c, a)))
        triple = (a * np.cross(b, c)).sum(axis=1)
        cosine = a_norm * b_norm * c_norm + ab * c_norm + bc * a_norm + ca * b_norm
        total += 2 * np.arctan2(triple, cosine).sum()
    return float(total / (4 * np.pi))


def _component_bounds(
    mesh: Mesh, component: Int[np.ndarray, "f"], count: int
) -> tuple[Float[np.ndarray, "k 3"], Float[np.ndarray, "k 3"]]:
    """Lower and upper corner of each component's bounding box."""
    lower, upper = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    for corner in range(3):
        np.minimum.at(lower, component, mesh.vertices[mesh.faces[:, corner]])
        np.maximum.at(upper, component, mesh.vertices[mesh.faces[:, corner]])
    return lower, upper
