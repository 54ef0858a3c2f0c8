using System.Globalization;
using System.Text;
using System.Text.Json;
using Omium.Embedded.Storage;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Runtime.Executions;

namespace Omium.Embedded.Tests.Storage;

/// <summary>S15: a conversation thread stores at most twice its useful bytes, measured in the files of the data directory.</summary>
public sealed class ThreadStorageTests
{
    private const int MessageBytes = 4_000;
    private const double RatioMax = 2;

    /// <summary>An agent's own loop: each turn a text and a call, each call an answer; now the text is long, now the answer.</summary>
    [Theory]
    [InlineData(50, MessageBytes, 40, "none")]
    [InlineData(100, MessageBytes, 40, "none")]
    [InlineData(199, MessageBytes, 40, "none")]
    [InlineData(199, MessageBytes, 40, "idempotent")]
    [InlineData(199, 40, MessageBytes, "idempotent")]
    [InlineData(199, 40, 5_000, "idempotent")]
    public async Task AgentLoop_TurnsOfFourKilobytes_StoresAtMostTwiceItsUsefulBytes(int turns, int textBytes, int resultBytes, string effect)
    {
        var random = new Random(turns);
        var useful = 0L;
        var options = new RigOptions
        {
            Answer = request =>
            {
                var turn = request.Messages.Count(message => message.Role == "assistant") + 1;
                var text = Text(random, textBytes);
                useful += text.Length;
                return turn > turns
                    ? RigOptions.Says(text)
                    : new EffectOutcome
                    {
                        Answer = new ModelAnswer { Content = text, FinishReason = "tool_calls", ToolCalls = [new ModelToolCall($"call_{turn}", "look", $$"""{"page": {{turn}}}""")] },
                    };
            },
            Call = (_, _) =>
            {
                var result = JsonMake.Text(Text(random, resultBytes));
                useful += PayloadReference.BytesOf(result).Length;
                return Task.FromResult(new EffectOutcome { Result = result });
            },
        };
        await AssertRatioAsync(options, """
            omium: v0
            name: agent-loop
            agents: {reader: {prompt: Read on., tools: [look], max_turns: 200}}
            tools: {look: {type: function, function: look, effect: {kind: KIND}}}
            steps: [{id: read, type: agent_task, agent: reader}]
            """.Replace("KIND", effect, StringComparison.Ordinal), () => useful);
    }

    /// <summary>A loop of the workflow whose step is handed the whole history each time and answers it with one message more.</summary>
    [Theory]
    [InlineData(50, MessageBytes)]
    [InlineData(100, MessageBytes)]
    [InlineData(200, MessageBytes)]
    [InlineData(200, 5_000)]
    public async Task WorkflowLoop_WithAGrowingHistory_StoresAtMostTwiceItsUsefulBytes(int visits, int messageBytes)
    {
        var random = new Random(visits);
        var useful = 0L;
        var options = new RigOptions
        {
            Call = (request, _) =>
            {
                var message = JsonMake.Object(("role", JsonMake.Text("assistant")), ("content", JsonMake.Text(Text(random, messageBytes))));
                useful += PayloadReference.BytesOf(message).Length;
                var history = request.Arguments.GetProperty("history").EnumerateArray().Append(message).ToArray();
                var longer = JsonMake.Object(("history", ArrayOf(history)), ("count", JsonMake.Integer(history.Length)));
                return Task.FromResult(new EffectOutcome { Result = longer });
            },
        };
        await AssertRatioAsync(options, Loop(visits), () => useful);
    }

    /// <summary>A restart forgets what is stored: the list is found again and continued, not stored anew.</summary>
    [Fact]
    public async Task WorkflowLoop_AcrossARestart_ContinuesTheStoredList()
    {
        const int visits = 60;
        var random = new Random(7);
        var useful = 0L;
        var calls = 0;
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var options = new RigOptions
        {
            Call = async (request, cancellation) =>
            {
                if (++calls == visits / 2)
                {
                    held.TrySetResult();
                    await Task.Delay(Timeout.Infinite, cancellation);
                }

                var message = JsonMake.Text(Text(random, MessageBytes));
                useful += MessageBytes;
                var history = request.Arguments.GetProperty("history").EnumerateArray().Append(message).ToArray();
                return new EffectOutcome { Result = JsonMake.Object(("history", ArrayOf(history)), ("count", JsonMake.Integer(history.Length))) };
            },
        };
        var directory = Directory.CreateTempSubdirectory("omium-embedded-").FullName;
        var empty = await EmptyBytesAsync();
        byte[] masterKey;
        await using (var before = await Rig.OpenAsync(options, directory))
        {
            masterKey = before.MasterKey;
            await before.StartAsync(Loop(visits), id: "exe_0001");
            await held.Task.WaitAsync(TimeSpan.FromSeconds(30));
        }

        await using (var after = await Rig.OpenAsync(options, directory, masterKey))
        {
            Assert.Equal(1, after.Recovered);
            var state = await after.WaitAsync(Rig.Stream("exe_0001"), state => state.Ended);
            Assert.Equal(ExecutionStatus.Succeeded, state.Status);
            Assert.Equal(VerifyVerdict.Identical, (await after.Verifier.VerifyAsync(Rig.Stream("exe_0001")))!.Verdict);
        }

        AssertRatio(BytesOf(directory) - empty, useful);
        Directory.Delete(directory, recursive: true);
    }

    private static JsonElement ArrayOf(IEnumerable<JsonElement> items) => Rig.Json($"[{string.Join(',', items.Select(item => item.GetRawText()))}]");

    private static string Loop(int visits) => """
        omium: v0
        name: workflow-loop
        tools: {say: {type: function, function: say, effect: {kind: none}}}
        steps:
          - id: begin
            type: decision
            input: {history: []}
          - id: chat
            type: tool_call
            tool: say
            needs: [begin]
            input: {history: "${{ has(steps.keep) ? steps.keep.output.history : steps.begin.output.history }}"}
            output: {schema: {type: object, properties: {history: {type: array}, count: {type: integer}}}}
          - id: keep
            type: decision
            needs: [chat]
            input: {history: "${{ steps.chat.output.history }}", count: "${{ steps.chat.output.count }}"}
        edges:
          - {from: keep, to: chat, when: "output.count < VISITS", max_visits: 10000}
        """.Replace("VISITS", visits.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);

    private static async Task AssertRatioAsync(RigOptions options, string spec, Func<long> useful)
    {
        var empty = await EmptyBytesAsync();
        var directory = Directory.CreateTempSubdirectory("omium-embedded-").FullName;
        await using (var rig = await Rig.OpenAsync(options, directory))
        {
            var state = await rig.RunAsync(spec);
            Assert.True(state.Status == ExecutionStatus.Succeeded, JsonSerializer.Serialize(state.Visits.Values.SelectMany(visit => visit.Failures).FirstOrDefault().Failure?.Message));
            Assert.Equal(VerifyVerdict.Identical, (await rig.Verifier.VerifyAsync(Rig.Stream(state.ExecutionId)))!.Verdict);
        }

        AssertRatio(BytesOf(directory) - empty, useful());
        Directory.Delete(directory, recursive: true);
    }

    private static void AssertRatio(long stored, long useful)
    {
        var ratio = stored / (double)useful;
        TestContext.Current.TestOutputHelper?.WriteLine($"useful {useful:N0} bytes, stored {stored:N0}: {ratio:0.00}x");
        Assert.InRange(ratio, 0, RatioMax);
    }

    private static async Task<long> EmptyBytesAsync()
    {
        var directory = Directory.CreateTempSubdirectory("omium-embedded-").FullName;
        await EmbeddedStore.Open(new EmbeddedStoreOptions(directory)).DisposeAsync();
        var bytes = BytesOf(directory);
        Directory.Delete(directory, recursive: true);
        return bytes;
    }

    /// <summary>After the store was closed, which empties the log into the database.</summary>
    private static long BytesOf(string directory) => Directory.EnumerateFiles(directory).Sum(file => new FileInfo(file).Length);

    /// <summary>Printable text that no compressor can do much with: what is saved is saved by storing it once.</summary>
    private static string Text(Random random, int length)
    {
        var text = new StringBuilder(length);
        while (text.Length < length)
        {
            var next = (char)random.Next(' ', 0x7f);
            text.Append(next is '"' or '\\' ? ' ' : next);
        }

        return text.ToString();
    }
}
