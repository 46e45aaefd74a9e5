"""`python -m edgeguard.config`, run in the repository: writes the generated files anew."""

from pathlib import Path

from edgeguard.config.generated import files

for path, text in files(Path.cwd()).items():
    path.write_text(text, encoding="utf-8")
