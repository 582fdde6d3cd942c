# The programs are built in one stage and run in another, which has neither compiler nor development packages.
FROM node:22-slim AS build
WORKDIR /app
ENV NPM_CONFIG_UPDATE_NOTIFIER=false
# The packages change less often than the sources: their layer is used again. --ignore-scripts leaves out `prepare`, which
# builds sources that are not here yet; --omit=optional the embedded Postgres, which stands as a server beside the container.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --omit=optional
COPY . .
RUN npm run build && chmod +x dist/src/cli.js && npm prune --omit=dev --omit=optional --ignore-scripts

FROM node:22-slim
WORKDIR /app
ENV NODE_ENV=production \
    ENTREPOT_HOME=/var/lib/entrepot
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
RUN ln -s /app/dist/src/cli.js /usr/local/bin/entrepot \
    && install -d -o node -g node /var/lib/entrepot
USER node
# A signal reaches the program itself, which then finishes its chunk and closes: no shell and no npm in between.
ENTRYPOINT ["node", "/app/dist/src/cli.js"]
CMD ["serve"]
STOPSIGNAL SIGTERM
