using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

namespace Omium.Sdk.Tests;

/// <summary>
/// kill -9 of a real C# program at random points, and its start again with the same execution id: a finished checkpoint is never run again, and each effect is
/// counted once, outside. <c>OMIUM_SDK_KILLS</c>: how often (default 3); <c>OMIUM_SDK_SEED</c>: which points.
/// </summary>
public sealed class CrashTests(DevServer server) : IClassFixture<DevServer>
{
    private const int RunMsMax = 700;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Program_KilledAtRandomPoints_FinishesWithEachEffectOnce()
    {
        _ = server.Url;
        var kills = Number("OMIUM_SDK_KILLS", 3);
        var random = new Random(Number("OMIUM_SDK_SEED", 1));
        var notes = Path.Combine(Directory.CreateTempSubdirectory("omium-sdk-notes-").FullName, "notes");
        var (killed, runs, effects) = (0, 0, 0);
        while (killed < kills)
        {
            Assert.True(++runs < 10 * (kills + 1), "the program always finished before it was killed");
            await File.WriteAllTextAsync(notes, "", TestContext.Current.CancellationToken);
            var execution = $"crash-{Guid.NewGuid():N}";
            while (killed < kills)
            {
                using var process = Start(execution, notes);
                await WaitForFirstNoteAsync(process, notes);
                var ended = process.WaitForExitAsync();
                if (await Task.WhenAny(ended, Task.Delay(random.Next(RunMsMax), TestContext.Current.CancellationToken)) == ended)
                {
                    break;
                }

                process.Kill();
                await ended;
                killed += process.ExitCode == 0 ? 0 : 1;
            }

            await FinishAsync(execution, notes);
            AssertNoneRanAgain(await File.ReadAllLinesAsync(notes, TestContext.Current.CancellationToken));
            Assert.Equal(effects += 5, await CountAsync());
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{killed} kills over {runs} executions, {effects} effects");
    }

    /// <summary>Played to its end; played once more it answers, and nothing is done.</summary>
    private async Task FinishAsync(string execution, string notes)
    {
        for (var time = 0; time < 2; time++)
        {
            using var last = Start(execution, notes);
            var output = await last.StandardOutput.ReadToEndAsync().WaitAsync(Limit);
            await last.WaitForExitAsync().WaitAsync(Limit);
            Assert.Equal((0, "15"), (last.ExitCode, output.Trim()));
        }
    }

    private static void AssertNoneRanAgain(string[] lines)
    {
        for (var step = 1; step <= 5; step++)
        {
            var recorded = Array.FindIndex(lines, line => line == $"recorded {step}");
            Assert.True(recorded >= 0, $"step {step} was never recorded");
            Assert.DoesNotContain($"run {step}", lines[(recorded + 1)..]);
        }
    }

    /// <summary>A program is killed while it works, not while the runtime loads; one that is started again may find all its checkpoints done, and notes that, too.</summary>
    private static async Task WaitForFirstNoteAsync(Process process, string notes)
    {
        var before = new FileInfo(notes).Length;
        var began = Stopwatch.GetTimestamp();
        while (!process.HasExited && new FileInfo(notes).Length == before)
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < Limit, "the program does nothing");
            await Task.Delay(5);
        }
    }

    private Process Start(string execution, string notes)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Omium.Sdk.Program.dll"), execution, server.Receiver.ToString(), notes])
        {
            RedirectStandardOutput = true, UseShellExecute = false,
        };
        start.Environment["OMIUM_BASE_URL"] = server.Url.ToString();
        start.Environment["OMIUM_API_KEY"] = server.Key;
        return Process.Start(start)!;
    }

    private async Task<int> CountAsync()
    {
        using var http = new HttpClient { BaseAddress = server.Receiver };
        return (await http.GetFromJsonAsync<JsonElement>("/effects?name=sdk", TestContext.Current.CancellationToken)).GetProperty("effects").GetInt32();
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
