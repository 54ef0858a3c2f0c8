using System.Text.Json;
using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>What stands in a request: a value never leaves its place, and nobody but the spec names a secret.</summary>
public sealed class ToolRenderingTests
{
    private const string Spec = """
        {"omium": "v0", "name": "rendering",
         "tools": {"fetch": {"type": "http", "method": "GET", "url": "http://host.test/items/${{ input.id }}?token=${{ secrets.token }}", "headers": {"X-Id": "id ${{ input.id }}"}}},
         "steps": [{"id": "a", "type": "tool_call", "tool": "fetch", "input": {"id": "${{ input.id }}"}}]}
        """;

    [Theory]
    [InlineData("42", "42")]
    [InlineData("../../control", "..%2F..%2Fcontrol")]
    [InlineData("x?y=1#z&ü", "x%3Fy%3D1%23z%26%C3%BC")]
    public void Render_ValueInsideAUrl_StaysWithinItsSegment(string id, string expected)
    {
        var request = Render(id, out var problem);
        Assert.Null(problem);
        Assert.Equal($"http://host.test/items/{expected}?token={SecretMarker.Of("token")}", request!.Url);
        Assert.Equal($"id {id}", request.Headers["X-Id"]);
    }

    [Fact]
    public void Render_ArgumentThatLooksLikeASecretsMarker_Refused()
    {
        Assert.Null(Render($"x{SecretMarker.Of("token")}", out var problem));
        Assert.Contains("U+E000", problem, StringComparison.Ordinal);
    }

    private static ToolRequest? Render(string id, out string? problem)
    {
        var harness = new KernelHarness(Spec);
        harness.Start(JsonSerializer.Serialize(new { id }));
        var call = Assert.Single(harness.State.LatestVisit("a")!.Calls);
        return ToolRendering.TryRender(harness.State, new DecisionValues(harness.Plan), call, call.Arguments, out problem);
    }
}
