using System.Text.Json.Nodes;

namespace Omium.Api.Tests.OpenApi;

/// <summary>What holds answers to the document sees when they are not as documented.</summary>
public sealed class DocumentedAnswersTests
{
    private static readonly Document Described = new(JsonNode.Parse("""
        {"paths": {"/v1/things/{id}": {"get": {"parameters": [{"name": "at", "in": "query"}],
            "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}, "204": {"description": "None."}}}}},
         "components": {"schemas": {"Thing": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}}}}
        """)!.AsObject());

    [Theory]
    [InlineData("/v1/things/1", 200, "application/json", """{"id": "1"}""", null)]
    [InlineData("/v1/things/1", 204, null, "", null)]
    [InlineData("/v1/other", 404, "application/problem+json", "{}", null)]
    [InlineData("/v1/other", 200, "application/json", "{}", "is not in the document")]
    [InlineData("/v1/things/1", 409, "application/problem+json", "{}", "answered 409, which")]
    [InlineData("/v1/things/1", 200, "text/html", "<p>", "as text/html, which")]
    [InlineData("/v1/things/1", 204, "application/json", "{}", "with a body, which")]
    [InlineData("/v1/things/1", 200, "application/json", """{"id": 1}""", "/id")]
    [InlineData("/v1/things/1", 200, "application/json", "{}", "id")]
    public void Answer_AgainstTheDocument_IsToldWhenItDiffers(string path, int status, string? mediaType, string body, string? told)
    {
        var wrong = Described.Problem("GET", path, status, mediaType, body);
        Assert.True(told is null ? wrong is null : wrong?.Contains(told, StringComparison.Ordinal), wrong);
    }

    [Fact]
    public void Request_WithAParameterThatIsNotThere_IsTold() =>
        Assert.Contains("'as'", Described.RequestProblem("GET", new Uri("http://server/v1/things/1?at=2&as=3"), null, "")!, StringComparison.Ordinal);
}
