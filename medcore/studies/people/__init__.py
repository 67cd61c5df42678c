"""People: who they are, what their role allows, what was shared with them.

``roles`` says what there is, ``access`` is the one function that decides about a study,
``sign_in`` reads the settings of OpenID Connect and a person's claims.
"""
