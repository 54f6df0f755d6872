"""Every address of the service."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

urlpatterns = [
    path("sign-in/", LoginView.as_view(template_name="sign_in.html", redirect_authenticated_user=True), name="sign_in"),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
    path("api/v1/", include("monitoring.api.urls")),
    path("", include("monitoring.message_urls")),
    path("", include("monitoring.urls")),
]
