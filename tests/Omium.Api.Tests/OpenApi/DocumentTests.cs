using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing;
using Omium.Contracts.Errors;

namespace Omium.Api.Tests.OpenApi;

/// <summary>
/// The document at /openapi/v1.json against the server that serves it, and against tests/golden/openapi/v1.json. What is new is written there with
/// OMIUM_GOLDEN=write; what would break a client only with OMIUM_GOLDEN=break.
/// </summary>
public sealed class DocumentTests : IAsyncLifetime
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly string Golden = Path.Combine(ApiHost.RepositoryRoot(), "tests", "golden", "openapi", "v1.json");
    private ApiHost _host = null!;
    private JsonObject _served = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await ApiHost.StartAsync();
        _served = JsonNode.Parse(await _host.Client.GetStringAsync("/openapi/v1.json"))!.AsObject();
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public void Document_AndServer_HaveTheSameRoutes()
    {
        var mapped = _host.Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText != "/v1/{**path}")
            .SelectMany(endpoint => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Select(method => $"{method} {endpoint.RoutePattern.RawText}"));
        var documented = new Document(_served).Operations.Select(operation => $"{operation.Method} {operation.Pattern}");
        Assert.Equal(mapped.Order(StringComparer.Ordinal), documented.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Document_EverySchema_CompilesAndEveryReferenceHolds()
    {
        var document = new Document(_served);
        foreach (var (name, schema) in _served["components"]!["schemas"]!.AsObject())
        {
            _ = document.Compile(name, schema!);
        }

        var references = Members(_served, "$ref").Select(reference => reference.ToString()).Distinct();
        Assert.All(references, reference => Assert.NotNull(reference.Split('/').Skip(1).Aggregate((JsonNode?)_served, (node, member) => node?[member])));
    }

    [Fact]
    public void Document_EveryCode_IsInTheErrorCatalogueWithItsStatus()
    {
        var document = new Document(_served);
        foreach (var (_, pattern, operation) in document.Operations)
        {
            foreach (var (status, response) in operation["responses"]!.AsObject())
            {
                foreach (var code in Members(document.Resolve(response)!, "code").SelectMany(code => code["enum"]!.AsArray()))
                {
                    Assert.True(ErrorCatalogue.Find(code!.ToString())?.HttpStatus.ToString(System.Globalization.CultureInfo.InvariantCulture) == status, $"{pattern} {status} {code}");
                }
            }
        }
    }

    [Fact]
    public void Document_AgainstTheGolden_BreaksNoClient()
    {
        var text = JsonSerializer.Serialize(_served, Indented) + "\n";
        var kept = File.Exists(Golden) ? File.ReadAllText(Golden) : "{}";
        var mode = Environment.GetEnvironmentVariable("OMIUM_GOLDEN");
        var broken = Compatibility.Broken(JsonNode.Parse(kept)!.AsObject(), _served);
        Assert.True(broken.Count == 0 || mode == "break", $"""
            This breaks clients. Before the first release it may be written with OMIUM_GOLDEN=break, with the reason in the commit; after it, never.
            {string.Join('\n', broken)}
            """);
        if (mode is "write" or "break")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Golden)!);
            File.WriteAllText(Golden, text);
            return;
        }

        Assert.True(kept == text, $"{Golden} is not what the server answers: run this test with OMIUM_GOLDEN=write, then `npm run generate` in static-web. Nothing breaks a client.");
    }

    private static IEnumerable<JsonNode> Members(JsonNode node, string name) => node switch
    {
        JsonObject members => members.SelectMany(member => member.Key == name && member.Value is not null ? [member.Value] : member.Value is null ? [] : Members(member.Value, name)),
        JsonArray items => items.SelectMany(item => item is null ? [] : Members(item, name)),
        _ => [],
    };
}
