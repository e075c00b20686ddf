"""Pictures and videos: written whole, read back, and of the right colours."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neus.errors import InputError
from neus.images.files import (
    depth_to_colour,
    normals_to_colour,
    panel,
    resize_coverage,
    resize_image,
    to_uint8,
    write_image,
    write_video,
)
from neus.images.stored import read_image
from neus.scene.cameras import look_at


def noise(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


class TestFiles:
    @pytest.mark.parametrize("channels", [3, 4])
    def test_a_png_comes_back_as_it_was(self, tmp_path: Path, channels: int):
        image = noise(13, 17, channels)
        write_image(tmp_path / "new" / "ä.png", image)
        back = read_image(tmp_path / "new" / "ä.png")
        np.testing.assert_array_equal(back, image[:, :, :3])
        assert back.flags.c_contiguous
        assert [path.name for path in (tmp_path / "new").iterdir()] == ["ä.png"]

    def test_alpha_and_grey_are_kept(self, tmp_path: Path):
        image = noise(5, 7, 4)
        write_image(tmp_path / "rgba.png", image)
        write_image(tmp_path / "grey.png", image[:, :, 0])
        rgba = cv2.imread(str(tmp_path / "rgba.png"), cv2.IMREAD_UNCHANGED)
        grey = cv2.imread(str(tmp_path / "grey.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(rgba[:, :, [2, 1, 0, 3]], image)  # pyright: ignore
        np.testing.assert_array_equal(grey, image[:, :, 0])  # pyright: ignore

    def test_sixteen_bits_become_eight(self, tmp_path: Path):
        image = noise(5, 7)
        cv2.imwrite(str(tmp_path / "deep.png"), image[:, :, ::-1].astype(np.uint16) * 257)
        np.testing.assert_array_equal(read_image(tmp_path / "deep.png"), image)

    def test_an_orientation_tag_does_not_turn_the_pixels(self, tmp_path: Path):
        path = tmp_path / "turned.jpg"
        cv2.imwrite(str(path), noise(8, 24))
        content = path.read_bytes()
        # APP1 with one EXIF entry: tag 0x0112 (orientation), type short, value 6 (a quarter turn).
        tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
        segment = b"Exif\0\0" + tiff
        tag = b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment
        path.write_bytes(content[:2] + tag + content[2:])
        turned = cv2.imread(str(path))
        assert turned is not None
        assert turned.shape == (24, 8, 3)  # OpenCV obeys the tag unless told otherwise
        assert read_image(path).shape == (8, 24, 3)

    def test_what_is_no_image_is_refused_by_name(self, tmp_path: Path):
        (tmp_path / "broken.png").write_bytes(b"not an image")
        with pytest.raises(
            InputError, match=r"broken\.png: found a file that cannot be read as an image"
        ):
            read_image(tmp_path / "broken.png")
        with pytest.raises(InputError, match=r"missing\.png does not exist"):
            read_image(tmp_path / "missing.png")

    def test_other_suffixes_are_refused(self, tmp_path: Path):
        with pytest.raises(InputError, match=r"\.png, not as '\.jpg'"):
            write_image(tmp_path / "image.jpg", noise(4, 4))


class TestResizing:
    @given(
        values=st.lists(st.floats(-0.5, 1.5), min_size=1, max_size=20),
    )
    def test_bytes_are_the_nearest(self, values):
        exact = 255 * np.clip(values, 0, 1)
        assert np.abs(to_uint8(np.array(values)) - exact).max() <= 0.5

    def test_whole_factors_give_block_means(self):
        image = noise(12, 20)
        means = image.reshape(4, 3, 5, 4, 3).mean(axis=(1, 3))
        assert np.abs(resize_image(image, 5, 4) - means).max() <= 0.5 + 1e-4

    def test_other_sizes_are_exact_and_weigh_by_area(self):
        ramp = np.broadcast_to(np.arange(0, 250, 10, dtype=np.uint8), (25, 25))
        small = resize_image(ramp, 10, 7)
        assert small.shape == (7, 10)
        # Pixel k covers [2.5 k, 2.5 k + 2.5): the mean of 10 floor(x) there.
        x = (np.arange(10 * 2.5 * 100) + 0.5) / 100
        exact = 10 * np.floor(x).reshape(10, -1).mean(axis=1)
        assert np.abs(small - exact).max() <= 0.5 + 1e-4

    def test_a_mask_becomes_the_part_that_it_covers(self):
        mask = np.zeros((8, 8), bool)
        mask[:4, :5] = True
        coverage = resize_coverage(mask, 2, 2)
        np.testing.assert_array_equal(coverage, [[255, 64], [0, 0]])
        half = np.zeros((2, 2), np.uint8)
        half[0] = 255
        assert resize_coverage(half, 1, 1).item() == 128

    @pytest.mark.parametrize(("width", "height"), [(21, 4), (5, 13), (0, 4)])
    def test_growing_is_refused(self, width: int, height: int):
        with pytest.raises(InputError, match=f"20x12 cannot be shrunk to {width}x{height}"):
            resize_image(noise(12, 20), width, height)


class TestColours:
    def test_depth_runs_from_red_to_blue_and_white_is_empty(self):
        depth = np.array([[1.0, 3.0, 0.5, 9.0, 2.0, np.nan]])
        opacity = np.array([[1.0, 1.0, 1.0, 1.0, 0.0, 0.0]])
        near, far, nearer, farther, empty, undefined = depth_to_colour(depth, opacity, 1.0, 3.0)[0]
        assert near[0] > 2 * near[2]
        assert far[2] > 1.5 * far[1]
        np.testing.assert_array_equal(near, nearer)
        np.testing.assert_array_equal(far, farther)
        assert (empty == 255).all()
        assert (undefined == 255).all()

    def test_depth_keeps_its_order(self):
        depth = np.linspace(1, 3, 256)[None]
        colours = depth_to_colour(depth, np.ones_like(depth), 1.0, 3.0)[0]
        assert len(np.unique(colours, axis=0)) > 200

    @pytest.mark.parametrize(
        ("direction", "expected"),
        [
            ("towards the viewer", (128, 128, 255)),
            ("right", (255, 128, 128)),
            ("up", (128, 255, 128)),
        ],
    )
    def test_normals_are_shown_in_the_frame_of_the_viewer(self, direction, expected):
        pose = look_at(np.array([2.0, 1.0, 0.5]), np.zeros(3), np.array([0.0, 0.0, 1.0]))
        axes = {"right": pose[:, 0], "up": -pose[:, 1], "towards the viewer": -pose[:, 2]}
        normals = np.broadcast_to(0.7 * axes[direction], (2, 3, 3))  # a mean is shorter than 1
        colours = normals_to_colour(normals, np.ones((2, 3)), pose)
        assert np.abs(colours.astype(int) - expected).max() <= 1

    def test_half_opaque_normals_are_half_white(self):
        pose = np.eye(3, 4)
        normals = np.broadcast_to([0.0, 0.0, -1.0], (1, 2, 3))
        half, empty = normals_to_colour(normals, np.array([[0.5, 0.0]]), pose)[0]
        assert np.abs(half.astype(int) - [191, 191, 255]).max() <= 1
        assert (empty == 255).all()


class TestPanel:
    def test_images_lie_in_rows_with_white_between(self):
        a, b, c = noise(4, 5, seed=1), noise(4, 6, seed=2), noise(3, 5, seed=3)
        joined = panel([[a, b], [c]], gap=2)
        assert joined.shape == (4 + 2 + 3, 5 + 2 + 6, 3)
        np.testing.assert_array_equal(joined[:4, :5], a)
        np.testing.assert_array_equal(joined[:4, 7:], b)
        np.testing.assert_array_equal(joined[6:, :5], c)
        assert (joined[:, 5:7] == 255).all()
        assert (joined[4:6] == 255).all()
        assert (joined[6:, 7:] == 255).all()

    def test_captions_stand_above_the_first_row_within_their_columns(self):
        black = np.zeros((10, 60, 3), np.uint8)
        joined = panel([[black, black]], ["a caption too long for it", "b"])
        top = joined[:-10]
        assert top.min() < 128
        assert (top[:, 60:64] == 255).all()
        np.testing.assert_array_equal(joined[-10:, :60], black)

    def test_each_image_of_the_first_row_needs_its_caption(self):
        with pytest.raises(ValueError, match="argument 2 is longer"):
            panel([[noise(4, 40), noise(4, 40)]], ["one"])


class TestVideo:
    def test_a_video_plays_in_browsers_and_keeps_its_colours(self, tmp_path: Path):
        colours = noise(1, 8)[0]
        frames = (np.broadcast_to(colour, (61, 81, 3)).astype(np.uint8) for colour in colours)
        path = tmp_path / "new" / "path.mp4"
        write_video(path, frames, fps=25)
        content = path.read_bytes()
        assert content.index(b"moov") < content.index(b"mdat")
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            context = stream.codec_context
            assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
            assert (context.width, context.height) == (82, 62)
            assert stream.average_rate == 25
            assert context.colorspace == 1  # BT.709
            decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert len(decoded) == len(colours)
        for image, colour in zip(decoded, colours, strict=True):
            assert np.abs(image.astype(int) - colour).max() <= 6
        assert [file.name for file in path.parent.iterdir()] == ["path.mp4"]

    def test_a_failure_leaves_the_old_video_and_nothing_else(self, tmp_path: Path):
        path = tmp_path / "path.mp4"
        path.write_bytes(b"old")

        def frames():
            yield noise(16, 16)
            raise RuntimeError("the renderer failed")

        with pytest.raises(RuntimeError, match="renderer"):
            write_video(path, frames())
        with pytest.raises(InputError, match=r"\(16, 18\), but the first was \(16, 16\)"):
            write_video(path, [noise(16, 16), noise(16, 18)])
        with pytest.raises(InputError, match="one frame or more"):
            write_video(path, [])
        assert path.read_bytes() == b"old"
        assert len(list(tmp_path.iterdir())) == 1

    def test_other_suffixes_are_refused_before_any_frame_is_rendered(self, tmp_path: Path):
        def frames():
            pytest.fail("a frame was asked for")
            yield noise(16, 16)

        with pytest.raises(InputError, match=r"\.mp4, not as '\.avi'"):
            write_video(tmp_path / "path.avi", frames())
