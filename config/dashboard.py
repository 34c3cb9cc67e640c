def with_figures(request, context):
    return context
