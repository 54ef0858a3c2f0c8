using System.Net;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Effects.Secrets;
using Omium.Runtime.Effects.Tools;

namespace Omium.Runtime.Tests.Tools;

/// <summary>Requests and clients as the tests of HTTP tools need them.</summary>
internal static class HttpToolFixture
{
    public static readonly ToolNetworkOptions Local = new() { AllowedHosts = ["127.0.0.1"] };

    public static ToolRequest Request(
        string url, string method = "POST", object? body = null, Dictionary<string, string>? headers = null, string? key = null, int timeoutMs = 10_000) => new()
    {
        Tool = new ToolSpec { Name = "send_offer", Type = ToolType.Http, Method = method, Url = url },
        Arguments = JsonSerializer.SerializeToElement(new { }),
        Url = url,
        Headers = headers ?? [],
        Body = body is null ? null : JsonSerializer.SerializeToElement(body),
        IdempotencyKey = key,
        EffectId = "exe_1/offer~1~1",
        Timeout = TimeSpan.FromMilliseconds(timeoutMs),
    };

    public static async Task<EffectOutcome> CallAsync(
        ToolRequest request, ToolNetworkOptions? options = null, Dictionary<string, string>? secrets = null, TimeProvider? time = null,
        Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
    {
        using var client = new HttpToolClient(options ?? Local, new FixedSecrets(secrets ?? []), time, resolve);
        return await client.CallAsync(request, CancellationToken.None);
    }

    public static void AssertFailure(EffectOutcome outcome, string failureClass, string code, bool mayHaveHappened, bool permanent)
    {
        Assert.Null(outcome.Result);
        var failure = Assert.IsType<EffectFailure>(outcome.Failure);
        Assert.Equal((failureClass, code, mayHaveHappened, permanent), (failure.Class, failure.Code, failure.MayHaveHappened, failure.Permanent));
        Assert.NotEmpty(failure.Message);
    }

    public sealed class FixedSecrets(Dictionary<string, string> values) : ISecretSource
    {
        public ValueTask<string?> FindAsync(string tenant, string name, CancellationToken cancellation = default) => new(values.GetValueOrDefault(name));
    }
}
