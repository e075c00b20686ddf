"""Triangle meshes: from a signed distance to a cleaned, coloured file.

In goes a field's distance in the scene frame; out comes a :class:`Mesh`, cleaned and coloured, in
the frame and unit that a call says (files are in the source's). ``isosurface`` (on ``bricks``),
``clean``, ``colour``, ``export``, ``rasterising``, and for meshes to hand over ``simplification``,
``unwrapping``, ``texels``, ``handover`` and ``handover_files``, are imported by name: some need
libraries that training does without.
"""

from neus.mesh.triangles import Mesh

__all__ = ["Mesh"]
