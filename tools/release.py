"""What a release needs: that version, tag and changelog agree, and a README whose links work away from the repository.

python tools/release.py notes v0.2.0                     the section of the changelog, where the version is the tag's
python tools/release.py links OWNER/infer-bench v0.2.0   makes the README what a package index shows, in place
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_VERSION = re.compile(r'^__version__ = "(\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?)"$', re.MULTILINE)
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!\w+:|#)([^)\s]+)\)")


def read_version() -> str:
    """The version, from the one file that has it."""
    match = _VERSION.search((ROOT / "infer_bench" / "version.py").read_text(encoding="utf-8"))
    if match is None:
        sys.exit("infer_bench/version.py has no version")
    return match[1]


def find_notes(changelog: str, version: str) -> str:
    """What the changelog says of a version; empty where it says nothing."""
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    heads = {section.splitlines()[0].strip(): section.partition("\n")[2].strip() for section in sections}
    return heads.get(version, "")


def check(tag: str) -> str:
    """The notes of the release. Ends the process with a reason where tag, version and changelog do not agree."""
    version, changelog = read_version(), (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    if tag != f"v{version}":
        sys.exit(f"the tag {tag} is not v{version}, as infer_bench/version.py has it")
    notes = find_notes(changelog, version)
    if not notes:
        sys.exit(f"CHANGELOG.md has no section {version}")
    if find_notes(changelog, "[Unreleased]"):
        sys.exit(f"CHANGELOG.md still has changes under [Unreleased]: they belong to {version}")
    return notes


def make_absolute(text: str, repository: str, tag: str) -> str:
    """The text with links and pictures that lead into the repository at a tag, where they were relative."""
    base = f"https://github.com/{repository}"

    def replace(link: re.Match[str]) -> str:
        mark, title, target = link.groups()
        return f"{mark}[{title}]({base}/{'raw' if mark else 'blob'}/{tag}/{target})"

    return _LINK.sub(replace, text)


def write_index_page(readme: str, repository: str, tag: str) -> str:
    """The README for who has no clone: absolute links, and installs by the name of the package."""
    text = make_absolute(readme, repository, tag)
    return text.replace("OWNER/infer-bench@main", f"{repository}@{tag}").replace("'.[", "'infer-bench[")


def main(arguments: list[str]) -> None:
    """Run what is asked for."""
    match arguments:
        case ["notes", tag]:
            print(check(tag))
        case ["links", repository, tag]:
            readme = ROOT / "README.md"
            readme.write_text(write_index_page(readme.read_text(encoding="utf-8"), repository, tag), encoding="utf-8")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
