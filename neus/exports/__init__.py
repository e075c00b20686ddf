"""The canonical scene for other programs, in the layouts that they read.

In goes a :class:`neus.scene.Scene`; out comes a folder with its cameras, images, masks and points
as nerfstudio, instant-ngp, COLMAP, NeuS or Blender have them, in the frame and unit of the source
or in that of the unit sphere. Each is read by :mod:`neus.sources`, too.
"""

from neus.exports.writing import EXPORTS, RECORD, chosen_images, export_scene, with_points

__all__ = ["EXPORTS", "RECORD", "chosen_images", "export_scene", "with_points"]
