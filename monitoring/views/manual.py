"""stub"""

from django.http import HttpResponse


def manual(request, key=""):
    return HttpResponse("x")


def try_it(request):
    return HttpResponse("x")
