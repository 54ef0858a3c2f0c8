namespace Omium.EndToEnd.Harness;

/// <summary>A model endpoint that plays a script, as a process of its own. Its log is the count of what was asked, outside Omium.</summary>
internal sealed class ScriptedModel : IAsyncDisposable
{
    private readonly ChildProcess _process;
    private readonly string _log;

    private ScriptedModel(ChildProcess process, string log, Uri address) => (_process, _log, Address) = (process, log, address);

    /// <summary>Where it listens, without a path.</summary>
    public Uri Address { get; }

    /// <summary>What <c>OMIUM_MODEL_BASE_URL</c> is set to.</summary>
    public string BaseUrl => new Uri(Address, "/v1").ToString();

    /// <summary>Starts it with a script written in YAML.</summary>
    public static async Task<ScriptedModel> StartAsync(string directory, string script)
    {
        var (file, log) = (Path.Combine(directory, "model.yaml"), Path.Combine(directory, "model.jsonl"));
        await File.WriteAllTextAsync(file, script);
        var process = ChildProcess.Start("omium model-script", ["model-script", file, "--port", "0", "--log", log]);
        return new ScriptedModel(process, log, await LogFile.ReadAddressAsync(process));
    }

    /// <summary>Every request so far, oldest first.</summary>
    public IReadOnlyList<JsonNode> Requests() => LogFile.Read(_log);

    /// <summary>How often the agent with this role was asked.</summary>
    public int CountOf(string role) => Requests().Count(request => ((string?)request["agent"])?.Contains(role, StringComparison.Ordinal) == true);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _process.DisposeAsync();
}

/// <summary>What the two servers at the edges have in common: a line with the address, a log of JSON lines.</summary>
internal static class LogFile
{
    private const string Listening = " listening on ";

    /// <summary>The address that a server printed.</summary>
    public static async Task<Uri> ReadAddressAsync(ChildProcess process)
    {
        var line = await process.ReadLineAsync(line => line.Contains(Listening, StringComparison.Ordinal), TimeSpan.FromSeconds(20));
        return new Uri(line[(line.IndexOf(Listening, StringComparison.Ordinal) + Listening.Length)..].Trim());
    }

    /// <summary>Every whole line; the writer may be writing the next.</summary>
    public static IReadOnlyList<JsonNode> Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        var text = reader.ReadToEnd();
        return [.. text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
    }
}
