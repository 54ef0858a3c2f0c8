using System.Text;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;

namespace Omium.Embedded.Tests.Storage;

/// <summary>A model's large final answer is the step's output: it is stored as that, and not once more as the text it came in.</summary>
public sealed class FinalAnswerTests
{
    private const int AnswerBytes = 400_000;

    private const string Free = """
        omium: v0
        name: writer
        agents: {writer: {prompt: Write.}}
        steps: [{id: write, type: agent_task, agent: writer}]
        """;

    private const string Typed = """
        omium: v0
        name: writer
        agents: {writer: {prompt: Write.}}
        steps: [{id: write, type: agent_task, agent: writer, output: {schema: {type: object, required: [report], properties: {report: {type: string}}}}}]
        """;

    [Theory]
    [InlineData(Free, "TEXT", false)]
    [InlineData(Typed, "{ \"report\" : \"TEXT\" }", true)]
    [InlineData(Typed, "```json\n{ \"report\" : \"TEXT\" }\n```", true)]
    public async Task FinalAnswer_OfFourHundredKilobytes_IsStoredOnce(string spec, string form, bool isTyped)
    {
        var text = Text(AnswerBytes);
        var (state, stored) = await RunAsync(spec, form.Replace("TEXT", text, StringComparison.Ordinal), text, isTyped);

        Assert.Equal(ExecutionStatus.Succeeded, state.Status);
        Assert.InRange(stored / (double)AnswerBytes, 0, 1.25);
    }

    /// <summary>More than a decision may read stays in its command: it is accepted all the same.</summary>
    [Fact]
    public async Task FinalAnswer_LargerThanADecisionReads_IsAccepted()
    {
        var text = Text(1_500_000);
        var (state, _) = await RunAsync(Free, text, text, isTyped: false);

        Assert.Equal(ExecutionStatus.Succeeded, state.Status);
    }

    [Fact]
    public async Task FinalAnswer_ThatIsNotWhatTheStepAsksFor_FailsAsItDid()
    {
        var (state, _) = await RunAsync(Typed, Text(10_000), null, isTyped: false);

        Assert.Equal("malformed_answer", state.Visits.Values.Single().Failures[0].Failure.Code);
    }

    private static async Task<(ExecutionState State, long StoredBytes)> RunAsync(string spec, string answer, string? text, bool isTyped)
    {
        var directory = Directory.CreateTempSubdirectory("omium-embedded-").FullName;
        ExecutionState state;
        await using (var rig = await Rig.OpenAsync(new RigOptions { Answer = _ => RigOptions.Says(answer) }, directory))
        {
            state = await rig.RunAsync(spec);
            Assert.Equal(VerifyVerdict.Identical, (await rig.Verifier.VerifyAsync(Rig.Stream(state.ExecutionId)))!.Verdict);
            if (text is not null)
            {
                var cell = (await rig.Advancer.FindAsync(Rig.Stream(state.ExecutionId)))!;
                var output = await rig.Advancer.MaterializeAsync(cell, state.Visits.Values.Single().Output!.Value);
                Assert.Equal(text, (isTyped ? output.GetProperty("report") : output).GetString());
            }
        }

        var stored = BytesOf(directory);
        Directory.Delete(directory, recursive: true);
        return (state, stored);
    }

    private static long BytesOf(string directory) => Directory.EnumerateFiles(directory).Sum(file => new FileInfo(file).Length);

    /// <summary>Hexadecimal digits of random bytes would halve when packed; of these characters a compressor saves little.</summary>
    private static string Text(int length)
    {
        var random = new Random(length);
        var text = new StringBuilder(length);
        while (text.Length < length)
        {
            var next = (char)random.Next(' ', 0x7f);
            text.Append(next is '"' or '\\' or '`' ? '.' : next);
        }

        return "The " + text.ToString(4, length - 4);
    }
}
