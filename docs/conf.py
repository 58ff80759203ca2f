"""The documentation site: `make docs` builds it from the pages beside this file into site/.

By Sphinx, which many hands keep and have kept for long, when MkDocs is no longer maintained, its
theme Material has ended (November 2026) and their successor Zensical is at 0.1. MyST reads the
pages as GitHub shows them; Furo is looked at without a network, from a folder.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_site"))

project = "gradparity"
extensions = ["myst_parser", "repository_links"]
nitpicky = True  # every reference must lead somewhere
myst_heading_anchors = 4  # headings have the anchors that GitHub gives them
myst_url_schemes = {"http": None, "https": None, "repository": "repository/{{path}}.html"}
highlight_language = "text"

html_theme = "furo"
html_title = project
html_static_path = ["_site/style.css"]
html_css_files = ["style.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
