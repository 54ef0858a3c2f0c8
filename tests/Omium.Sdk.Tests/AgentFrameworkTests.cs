using System.Text.Json;
using Microsoft.Extensions.AI;
using Omium.Ai;

namespace Omium.Sdk.Tests;

/// <summary>What Microsoft.Extensions.AI agents call, guarded: answers and calls are recorded, and played again without the model and without the effect.</summary>
public sealed class AgentFrameworkTests(DevServer server) : IClassFixture<DevServer>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ChatAndFunction_ProgramIsStartedAgain_AsksTheModelOnceAndActsOnce()
    {
        using var omium = server.Client();
        using var model = new ScriptedChat("send it", "done");
        var keys = new List<object?>();
        var send = AIFunctionFactory.Create(
            (string to, AIFunctionArguments arguments) =>
            {
                keys.Add(arguments.Context?[GuardedFunction.IdempotencyKeyName]);
                return new { sent = to };
            },
            "send_offer");
        var isBroken = true;
        async Task<string> ProgramAsync(TracedExecution execution, CancellationToken token)
        {
            using var chat = model.Guarded(execution);
            var first = await chat.GetResponseAsync("What shall I do?", cancellationToken: token);
            var guarded = send.Guarded(execution, new FunctionGuard { Effect = EffectKind.Idempotent });
            var sent = (JsonElement)(await guarded.InvokeAsync(new AIFunctionArguments { ["to"] = "ada" }, token))!;
            if (isBroken)
            {
                throw new TimeoutException("the process dies");
            }

            var second = await chat.GetResponseAsync([.. first.Messages, new ChatMessage(ChatRole.User, $"sent to {sent.GetProperty("sent")}")], cancellationToken: token);
            return $"{first.Text}, {second.Text}";
        }

        var run = new RunOptions { ExecutionId = $"chat-{Guid.NewGuid():N}" };
        await Assert.ThrowsAsync<TimeoutException>(() => omium.RunAsync("chat", ProgramAsync, run, Cancellation));
        isBroken = false;
        Assert.Equal("send it, done", await omium.RunAsync("chat", ProgramAsync, run, Cancellation));
        Assert.Equal(2, model.Asked);
        Assert.IsType<string>(Assert.Single(keys));
    }

    [Fact]
    public async Task Chat_StreamedAnswer_IsRecordedOnceAndStreamedAgain()
    {
        using var omium = server.Client();
        using var model = new ScriptedChat("streamed", "asked again");
        var said = new List<string>();
        async Task<string> ProgramAsync(TracedExecution execution, CancellationToken token)
        {
            using var chat = model.Guarded(execution);
            said.Add((await chat.GetStreamingResponseAsync("What shall I do?", cancellationToken: token).ToChatResponseAsync(token)).Text);
            return said.Count < 2 ? throw new TimeoutException("the process dies") : said[^1];
        }

        var run = new RunOptions { ExecutionId = $"chat-{Guid.NewGuid():N}" };
        await Assert.ThrowsAsync<TimeoutException>(() => omium.RunAsync("chat", ProgramAsync, run, Cancellation));
        Assert.Equal("streamed", await omium.RunAsync("chat", ProgramAsync, run, Cancellation));
        Assert.Equal((1, 2), (model.Asked, said.Count));
    }

    [Fact]
    public async Task Chat_AnotherConversationThanRecorded_IsNotDeterministic()
    {
        using var omium = server.Client();
        using var model = new ScriptedChat("a", "b");
        var question = "one";
        async Task<string> ProgramAsync(TracedExecution execution, CancellationToken token)
        {
            using var chat = model.Guarded(execution);
            await chat.GetResponseAsync(question, cancellationToken: token);
            throw new TimeoutException();
        }

        var run = new RunOptions { ExecutionId = $"chat-{Guid.NewGuid():N}" };
        await Assert.ThrowsAsync<TimeoutException>(() => omium.RunAsync("chat", ProgramAsync, run, Cancellation));
        question = "two";
        await Assert.ThrowsAsync<ReplayMismatchException>(() => omium.RunAsync("chat", ProgramAsync, run, Cancellation));
    }

    [Fact]
    public async Task Function_WithoutAGuard_IsIrreversible_AndOneThatChangesNothingIsACheckpoint()
    {
        using var omium = server.Client();
        var look = AIFunctionFactory.Create((int id) => id + 1, "look_up");
        var id = await omium.RunAsync("functions", async (execution, token) =>
        {
            Assert.Equal(8, ((JsonElement)(await look.Guarded(execution, new FunctionGuard { Effect = null }).InvokeAsync(new AIFunctionArguments { ["id"] = 7 }, token))!).GetInt32());
            await look.Guarded(execution).InvokeAsync(new AIFunctionArguments { ["id"] = 7 }, token);
            return execution.Id;
        }, new RunOptions { ExecutionId = $"functions-{Guid.NewGuid():N}" }, Cancellation);
        var steps = (await omium.GetExecutionAsync(id, Cancellation)).Steps;
        Assert.Equal(["look_up@1", "look_up@2"], steps.Select(step => step.Step));
    }

    /// <summary>Says its lines in order.</summary>
    private sealed class ScriptedChat(params string[] lines) : IChatClient
    {
        public int Asked { get; private set; }

        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, lines[Asked++])));

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            new ChatResponse(new ChatMessage(ChatRole.Assistant, lines[Asked++])).ToChatResponseUpdates().ToAsyncEnumerable();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
