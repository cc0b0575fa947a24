"""One renderer for pages, mails and packs: values in, words or SVG out."""
