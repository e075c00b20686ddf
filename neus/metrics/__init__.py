"""Figures: renderings and surfaces against the truth.

In go pictures, or surfaces in the source's frame and unit (millimetres by DTU's protocol), read by
``geometry``. Out come PSNR, SSIM and IoU (``images``, ``silhouettes``); accuracy, completeness and
Chamfer distance (``surfaces``, ``closest``, ``sampling``; ``dtu``, ``dtu_files``,
``dtu_reference``) after a stated ``culling``; F-scores in metres (``tanks``, ``tanks_files``,
``tanks_reference``); ``measuring`` by any of these; ``error_clouds``; the reports of a run
(``evaluation``); and the ``frames`` of meshes by others. Modules are
imported by name: most compile kernels or need large libraries.
"""
