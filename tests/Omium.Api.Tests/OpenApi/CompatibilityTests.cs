using System.Text.Json.Nodes;

namespace Omium.Api.Tests.OpenApi;

/// <summary>The judge of changes is judged itself: each change is told as breaking or not.</summary>
public sealed class CompatibilityTests
{
    private const string Older = """
        {"paths": {"/v1/things": {"post": {"operationId": "make_thing",
            "parameters": [{"name": "kind", "in": "query", "schema": {"type": "string", "enum": ["a", "b"]}}],
            "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ThingRequest"}}}},
            "responses": {"201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}, "404": {}}}}},
         "components": {"schemas": {
            "ThingRequest": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
            "Thing": {"type": "object", "properties": {"id": {"type": "string"}, "word": {"type": "string", "enum": ["x"]}}, "required": ["id"]}}}}
        """;

    [Theory]
    [InlineData("\"make_thing\"", "\"create_thing\"", "POST /v1/things is called")]
    [InlineData("\"/v1/things\"", "\"/v1/stuff\"", "POST /v1/things is gone")]
    [InlineData("\"201\"", "\"200\"", "no answer 201")]
    [InlineData("\"enum\": [\"a\", \"b\"]", "\"enum\": [\"a\"]", "no \"b\" any more")]
    [InlineData("\"in\": \"query\",", "\"in\": \"query\", \"required\": true,", "query kind is needed now")]
    [InlineData("\"required\": [\"name\"]", "\"required\": [\"name\", \"other\"]", "ThingRequest.\"other\" is needed now")]
    [InlineData("\"required\": [\"id\"]", "\"required\": []", "Thing.\"id\" is not always there")]
    [InlineData("\"id\": {\"type\": \"string\"}", "\"id\": {\"type\": \"integer\"}", "Thing.id: type")]
    [InlineData("\"id\": {\"type\": \"string\"},", "", "Thing.id is gone")]
    [InlineData("\"name\": {\"type\": \"string\"}", "\"label\": {\"type\": \"string\"}", "ThingRequest.name is gone")]
    public void Change_ThatBreaksAClient_IsTold(string before, string after, string told) =>
        Assert.Contains(Broken(before, after), line => line.Contains(told, StringComparison.Ordinal));

    [Theory]
    [InlineData("\"404\": {}", "\"404\": {}, \"409\": {}")]
    [InlineData("\"enum\": [\"a\", \"b\"]", "\"enum\": [\"a\", \"b\", \"c\"]")]
    [InlineData("\"enum\": [\"x\"]", "\"enum\": [\"y\"]")]
    [InlineData("\"required\": [\"id\"]", "\"required\": [\"id\", \"word\"]")]
    [InlineData("\"required\": [\"name\"]", "\"required\": []")]
    [InlineData("\"id\": {\"type\": \"string\"}", "\"id\": {\"type\": \"string\"}, \"more\": {\"type\": \"string\"}")]
    public void Change_ThatAClientDoesNotSee_IsNot(string before, string after) => Assert.Empty(Broken(before, after));

    private static IReadOnlyList<string> Broken(string before, string after)
    {
        Assert.Contains(before, Older, StringComparison.Ordinal);
        return Compatibility.Broken(JsonNode.Parse(Older)!.AsObject(), JsonNode.Parse(Older.Replace(before, after, StringComparison.Ordinal))!.AsObject());
    }
}
