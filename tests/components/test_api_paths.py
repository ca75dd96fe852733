"""Routes of a REST API are refused where API Gateway would refuse them."""

from __future__ import annotations

import pytest

from components import api_paths
from components.errors import InvalidArgsError


def test_a_key_is_a_method_and_a_path() -> None:
    assert api_paths.parse("RestApi.routes", ["POST /query/user", "ANY /{rest+}", "GET /"]) == {
        "POST /query/user": ("POST", "/query/user"),
        "ANY /{rest+}": ("ANY", "/{rest+}"),
        "GET /": ("GET", "/"),
    }


@pytest.mark.parametrize(
    "key",
    [
        "/query/user",
        "POST",
        "POST query/user",
        "post /query",
        "FETCH /query",
        "POST  /query",
        "POST /query/",
        "POST //query",
        "POST /query user",
        "POST /query?id=1",
        "POST /{id",
        "POST /user-{id}",
        "POST /{}",
        "GET /{rest+}/more",
        "",
    ],
)
def test_what_is_no_method_and_path_is_refused(key: str) -> None:
    with pytest.raises(InvalidArgsError, match=r"^RestApi\.routes: got "):
        api_paths.parse("RestApi.routes", ["GET /fine", key])


def test_two_names_for_one_variable_are_refused() -> None:
    """API Gateway has one variable below a resource, and says so only while it creates the second."""
    with pytest.raises(InvalidArgsError, match=r"got 'PUT /users/\{name\}/photo'; \{id\} as elsewhere"):
        api_paths.parse("RestApi.routes", ["GET /users/{id}", "PUT /users/{name}/photo"])
    api_paths.parse("RestApi.routes", ["GET /users/{id}", "PUT /users/{id}/photo", "GET /posts/{name}"])


def test_an_api_without_routes_is_refused() -> None:
    with pytest.raises(InvalidArgsError, match="one route or more"):
        api_paths.parse("RestApi.routes", [])


def test_a_path_needs_each_resource_above_it() -> None:
    assert api_paths.branch("/a/{id}/c") == ["/a", "/a/{id}", "/a/{id}/c"]
    assert api_paths.branch("/") == []
    assert api_paths.split("/a/{id}") == ("/a", "{id}")
    assert api_paths.split("/a") == ("/", "a")


@pytest.mark.parametrize(
    ("method", "path", "end"),
    [
        ("POST", "/query/user", "POST/query/user"),
        ("GET", "/users/{id}/photo", "GET/users/*/photo"),
        ("ANY", "/{rest+}", "*/*"),
        ("GET", "/", "GET/"),
    ],
)
def test_in_an_arn_a_variable_and_any_method_are_wildcards(method: str, path: str, end: str) -> None:
    """A variable left as written would match no request, and Lambda would refuse API Gateway."""
    assert api_paths.in_arn(method, path) == end
