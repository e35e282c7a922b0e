"""What a sweep found, for people and for programs: `document` for JSON, `page` for the HTML report with its `figures`
and `tables`, `console` for the terminal.
"""
