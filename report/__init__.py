from . import letter_pages
