namespace Omium.EndToEnd.Harness;

/// <summary>A world of three processes in a directory of their own: a model, a receiver of effects, and Omium between them.</summary>
internal sealed class World : IAsyncDisposable
{
    private const int ErrorCharactersShown = 6_000;
    private readonly string _directory;

    private World(string directory, ScriptedModel? model, Receiver receiver, OmiumProcess omium)
    {
        (_directory, Model, Receiver, Omium) = (directory, model!, receiver, omium);
        Client = new OmiumClient(omium);
    }

    /// <summary>The model; there is none in a world without a script.</summary>
    public ScriptedModel Model { get; }

    public Receiver Receiver { get; }

    public OmiumProcess Omium { get; }

    /// <summary>A client that gives up when the server dies.</summary>
    public OmiumClient Client { get; }

    /// <summary>Starts all of it. Without a script no model is configured; without a directory of its files there is no console; more variables of Omium's may be made from the receiver's address.</summary>
    public static async Task<World> StartAsync(
        string? modelScript = null, double failRate = 0, string? console = null, int? workerLeaseMs = null, Func<Uri, IReadOnlyDictionary<string, string>>? variables = null)
    {
        _ = Surroundings.Binary; // Skips before anything is made.
        var directory = Directory.CreateTempSubdirectory("omium-e2e-").FullName;
        ScriptedModel? model = null;
        Receiver? receiver = null;
        try
        {
            model = modelScript is null ? null : await ScriptedModel.StartAsync(directory, modelScript);
            receiver = await Receiver.StartAsync(directory, failRate, Surroundings.Seed);
            var environment = new Dictionary<string, string> { ["OMIUM_TOOLS_ALLOW_PRIVATE_ADDRESSES"] = "true" };
            foreach (var (variable, value) in variables?.Invoke(receiver.Address) ?? new Dictionary<string, string>())
            {
                environment[variable] = value;
            }

            if (model is not null)
            {
                environment["OMIUM_MODEL_BASE_URL"] = model.BaseUrl;
                environment["OMIUM_MODEL_NAME"] = "scripted";
            }

            if (workerLeaseMs is { } lease)
            {
                environment["OMIUM_WORKER_LEASE_MS"] = lease.ToString(System.Globalization.CultureInfo.InvariantCulture);
            }

            if (console is not null)
            {
                environment["OMIUM_CONSOLE"] = console;
            }

            string[] options = console is null ? ["--no-console"] : [];
            var omium = await OmiumProcess.StartAsync(Path.Combine(directory, "data"), environment, options);
            return new World(directory, model, receiver, omium);
        }
        catch
        {
            await (receiver?.DisposeAsync() ?? ValueTask.CompletedTask);
            await (model?.DisposeAsync() ?? ValueTask.CompletedTask);
            Directory.Delete(directory, recursive: true);
            throw;
        }
    }

    /// <summary>Writes a line to the test's output.</summary>
    public static void Say(string line) => TestContext.Current.TestOutputHelper?.WriteLine(line);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Omium.DisposeAsync();
        await Receiver.DisposeAsync();
        await (Model?.DisposeAsync() ?? ValueTask.CompletedTask);
        var errors = Omium.Errors;
        if (errors.Length > 0)
        {
            Say($"omium dev wrote to standard error:\n{errors[^Math.Min(errors.Length, ErrorCharactersShown)..]}");
        }

        Directory.Delete(_directory, recursive: true);
    }
}
