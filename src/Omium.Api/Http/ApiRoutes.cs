using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.Extensions.Logging;
using Omium.Api.Access;
using Omium.Api.Billing;
using Omium.Api.Keys;
using Omium.Api.OpenApi;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Http;

/// <summary>Answers one request. Expected failures are answered, not thrown.</summary>
internal delegate Task ApiHandler(ApiCall call);

/// <summary>
/// Maps handlers as plain request delegates (no reflection, no binding: the fast path) and gives each the same frame: caller and scope first, then the
/// handler, then a problem document for whatever was thrown.
/// </summary>
internal sealed partial class ApiRoutes(IEndpointRouteBuilder endpoints, ApiServices services, ILogger logger)
{
    private readonly List<(string Method, TemplateMatcher Matcher)> _known = [];
    private readonly List<RouteDescription> _descriptions = [];

    /// <summary>What is mapped so far, each with what it takes and answers.</summary>
    public IReadOnlyList<RouteDescription> Descriptions => _descriptions;

    /// <summary>Maps a route that needs a key. What it takes and answers is said behind it, in the same line.</summary>
    public RouteDescription Map(string method, string pattern, ApiHandler handler) => Add(method, pattern, isOpen: false, handler);

    /// <summary>Maps a route that anybody may ask.</summary>
    public RouteDescription MapOpen(string method, string pattern, ApiHandler handler) => Add(method, pattern, isOpen: true, handler);

    /// <summary>What no route serves under <c>/v1</c>: 405 with <c>Allow</c> when the path exists, else 404.</summary>
    public void MapUnknown() => endpoints.Map("/v1/{**path}", context =>
    {
        var allowed = _known.Where(route => route.Matcher.TryMatch(context.Request.Path, [])).Select(route => route.Method).Distinct().ToArray();
        if (allowed.Length == 0)
        {
            return Problems.WriteAsync(context, services.Options, "not_found", $"Nothing is served at {context.Request.Path}.");
        }

        context.Response.Headers.Allow = string.Join(", ", allowed);
        return Problems.WriteAsync(context, services.Options, "method_not_allowed", $"{context.Request.Path} takes {string.Join(", ", allowed)}.");
    });

    private RouteDescription Add(string method, string pattern, bool isOpen, ApiHandler handler)
    {
        _known.Add((method, new TemplateMatcher(TemplateParser.Parse(pattern.TrimStart('/')), [])));
        var needed = AccessTable.ScopeOf(method, pattern);
        var description = new RouteDescription(method, pattern, isOpen);
        var framed = new RouteFrame(description, services).Around(handler);
        var mapped = endpoints.MapMethods(pattern, [method], context => RunAsync(context, isOpen, needed, framed));
        if (!isOpen)
        {
            mapped.WithMetadata(new NeedsCaller(needed));
        }

        _descriptions.Add(description);
        return description;
    }

    private async Task RunAsync(HttpContext context, bool isOpen, Scopes needed, ApiHandler handler)
    {
        try
        {
            var caller = isOpen ? Caller.Nobody : await TryCallerAsync(context, needed);
            if (caller is null)
            {
                return;
            }

            if (!isOpen)
            {
                await CreditHeaders.AddAsync(context, services, caller);
            }

            await handler(new ApiCall(context, services, caller));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone: there is nobody to answer.
        }
        catch (StorageUnavailableException refused)
        {
            services.Advancer.Storage.Refused(refused); // Documents are written by many hands; who writes streams has said so already.
            await ProblemAsync(context, refused.Code, $"{refused.Message} Nothing that was acknowledged is lost.");
        }
        catch (StorageException error)
        {
            await FailAsync(context, error.Code, $"{error.Message} Nothing that was acknowledged is lost.", error);
        }
        catch (ExecutionSetAsideException aside)
        {
            await Problems.WriteAsync(context, services.Options, "execution_set_aside", ApiCall.Sentence(aside.Message));
        }
        catch (Exception error) when (error is CorruptLogException or CryptographicException)
        {
            await FailAsync(context, "execution_set_aside", $"What is stored of the execution cannot be read: {error.Message}. The others go on.", error);
        }
        catch (InvalidCursorException)
        {
            await new ApiCall(context, services, Caller.Nobody).InvalidAsync("/cursor", "'cursor' is the `next_cursor` of the page before, whole.");
        }
        catch (BadHttpRequestException error) when (error.StatusCode != StatusCodes.Status413PayloadTooLarge && !context.Response.HasStarted)
        {
            // The client's doing, and at its will: it is answered, and writes no lines into the log.
            context.Response.Headers.Connection = "close";
            await Problems.WriteAsync(context, services.Options, "request_broken", error.Message);
        }
        catch (BadHttpRequestException error) when (error.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            await FailAsync(context, "body_too_large", $"This endpoint reads at most {services.Options.BodyBytesMax} bytes.", error);
        }
        catch (Exception error)
        {
            await FailAsync(context, "internal_error", $"Trace id {context.TraceIdentifier}.", error);
        }
    }

    /// <summary>The caller, who may use the route; null when it was answered. What is refused here was not looked up: it says nothing about what exists.</summary>
    private async ValueTask<Caller?> TryCallerAsync(HttpContext context, Scopes needed)
    {
        var (caller, refusal) = await services.Authenticator.AuthenticateAsync(context, context.RequestAborted);
        if (caller is null)
        {
            if (refusal == "unauthenticated")
            {
                context.Response.Headers.WWWAuthenticate = "Bearer";
            }

            await Problems.WriteAsync(context, services.Options, refusal, null);
            return null;
        }

        if (!caller.Scopes.HasFlag(needed))
        {
            await Problems.WriteAsync(context, services.Options, "forbidden", $"This takes the scope '{string.Join(' ', ScopeWords.Of(needed))}'; the caller has '{string.Join(' ', ScopeWords.Of(caller.Scopes))}'.");
            return null;
        }

        return caller;
    }

    private async Task FailAsync(HttpContext context, string code, string detail, Exception error)
    {
        LogFailure(logger, context.Request.Method, context.Request.Path, code, context.TraceIdentifier, error);
        await ProblemAsync(context, code, detail);
    }

    private async Task ProblemAsync(HttpContext context, string code, string detail)
    {
        if (context.Response.HasStarted)
        {
            context.Abort(); // Half an answer must not look whole.
            return;
        }

        await Problems.WriteAsync(context, services.Options, code, detail);
    }

    [LoggerMessage(3001, LogLevel.Error, "{Method} {Path} was answered {Code} ({TraceId})")]
    private static partial void LogFailure(ILogger logger, string method, string path, string code, string traceId, Exception error);
}
