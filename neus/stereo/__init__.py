"""Dense stereo of the training views: PatchMatch, agreement between views, one cloud."""
