using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Effects;
using Omium.Runtime.Effects.Tools;
using static Omium.Runtime.Tests.Tools.HttpToolFixture;

namespace Omium.Runtime.Tests.Tools;

public sealed class FunctionToolClientTests
{
    [Fact]
    public async Task CallAsync_SynchronousFunction_CompletesAtOnce()
    {
        var call = Client((arguments, _) => ValueTask.FromResult(arguments)).CallAsync(Call(), CancellationToken.None);

        Assert.True(call.IsCompletedSuccessfully);
        Assert.Equal("""{"n":1}""", (await call).Result!.Value.GetRawText());
    }

    [Fact]
    public async Task CallAsync_AsynchronousFunction_GivesItsResult()
    {
        var outcome = await Client(async (_, _) =>
        {
            await Task.Yield();
            return JsonSerializer.SerializeToElement("done");
        }).CallAsync(Call(), CancellationToken.None);

        Assert.Equal("done", outcome.Result!.Value.GetString());
    }

    [Fact]
    public async Task CallAsync_UndefinedResult_IsNull()
    {
        var outcome = await Client((_, _) => default).CallAsync(Call(), CancellationToken.None);

        Assert.Equal(JsonValueKind.Null, outcome.Result!.Value.ValueKind);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CallAsync_FunctionThrows_IsAToolErrorWithoutStackTrace(bool atOnce)
    {
        var outcome = await Client(async (_, _) =>
        {
            if (!atOnce)
            {
                await Task.Yield();
            }

            throw new InvalidOperationException("no stock");
        }).CallAsync(Call(), CancellationToken.None);

        AssertFailure(outcome, FailureClasses.ToolError, "function_failed", true, false);
        Assert.Equal("The function 'count' failed: no stock", outcome.Failure!.Message);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CallAsync_FunctionOutlivesItsTime_TimesOutInDoubt(bool listens)
    {
        var never = new TaskCompletionSource<JsonElement>();
        var client = Client((_, token) => new(listens ? never.Task.WaitAsync(token) : never.Task));

        AssertFailure(await client.CallAsync(Call(timeoutMs: 50), CancellationToken.None), FailureClasses.Timeout, "function_timeout", true, false);
    }

    [Fact]
    public async Task CallAsync_Cancelled_Throws()
    {
        using var cancel = new CancellationTokenSource();
        var call = Client((_, token) => new(new TaskCompletionSource<JsonElement>().Task.WaitAsync(token))).CallAsync(Call(), cancel.Token);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    public async Task CallAsync_UnknownFunction_DidNotHappen() => AssertFailure(
        await new FunctionToolClient(new()).CallAsync(Call(), CancellationToken.None), FailureClasses.ToolError, "function_not_found", false, true);

    [Fact]
    public void Register_NameTwice_Throws()
    {
        var functions = new FunctionRegistry();
        functions.Register("count", (arguments, _) => ValueTask.FromResult(arguments));

        Assert.Throws<ArgumentException>(() => functions.Register("count", (arguments, _) => ValueTask.FromResult(arguments)));
    }

    [Fact]
    public async Task ToolClients_TypeWithoutClient_IsUnavailable()
    {
        var functions = new FunctionRegistry();
        functions.Register("count", (arguments, _) => ValueTask.FromResult(arguments));
        var clients = new ToolClients(new Dictionary<ToolType, IToolClient> { [ToolType.Function] = new FunctionToolClient(functions) });

        Assert.NotNull((await clients.CallAsync(Call(), CancellationToken.None)).Result);
        AssertFailure(
            await clients.CallAsync(Call(ToolType.Mcp), CancellationToken.None), FailureClasses.ToolError, "feature_unavailable", false, true);
    }

    private static FunctionToolClient Client(Func<JsonElement, CancellationToken, ValueTask<JsonElement>> function)
    {
        var functions = new FunctionRegistry();
        functions.Register("count", function);
        return new(functions);
    }

    private static ToolRequest Call(ToolType type = ToolType.Function, int timeoutMs = 10_000) => new()
    {
        Tool = new ToolSpec { Name = "count", Type = type },
        Arguments = JsonSerializer.SerializeToElement(new { n = 1 }),
        EffectId = "exe_1/count~1~1",
        Timeout = TimeSpan.FromMilliseconds(timeoutMs),
    };
}
