"""Counters over time as pictures: scales, ticks, titles and SVG.

`picture.Picture` says what is drawn, `svg.drawn` draws it.
"""
