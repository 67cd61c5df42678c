"""Networks, baselines, ensembles and the bundles they are kept in.

``contract`` is what every learner keeps to; ``learners`` are the models; ``network`` and
``trainer`` the deep ones; ``selection`` chooses settings and weights; ``run`` is one
training; ``bundle`` its result; ``coalitions`` answers explanations; ``deployed`` meets
new patients. The only room that imports TensorFlow, and only when it is used.
"""
